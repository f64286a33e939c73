#include <immintrin.h>

#include <cstring>

#include "device/cpu/exact_gemm.h"

namespace amanuensis {

namespace {
// A row of a, widened to int16 pairs, one pair per int32.
constexpr int64_t kMaxK = 4096;

template <int kRows>
void tile(const int16_t* const* a, const int8_t* w, int64_t k, int32_t* const* c, int64_t columns) {
  __m256i sum[kRows][2];
  for (auto& row : sum) row[0] = row[1] = _mm256_setzero_si256();
  for (int64_t i = 0; i < k; i += 2, w += 32) {
    const __m256i w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
    const __m256i w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16)));
    for (int r = 0; r < kRows; r++) {
      int32_t pair;
      std::memcpy(&pair, a[r] + i, sizeof pair);
      const __m256i x = _mm256_set1_epi32(pair);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, w0));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, w1));
    }
  }
  for (int r = 0; r < kRows; r++) {
    alignas(32) int32_t out[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(out), sum[r][0]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(out + 8), sum[r][1]);
    std::memcpy(c[r], out, sizeof(int32_t) * static_cast<size_t>(columns));
  }
}
}  // namespace

void exact_gemm_avx2(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m,
                     int64_t k, int64_t n) {
  constexpr int kRows = 4;
  alignas(32) static thread_local int16_t wide[kRows][kMaxK];
  for (int64_t first = 0; first < m; first += kRows) {
    const int rows = static_cast<int>(m - first < kRows ? m - first : kRows);
    const int16_t* from[kRows];
    for (int r = 0; r < rows; r++) {
      for (int64_t i = 0; i < k; i++) wide[r][i] = a[(first + r) * lda + i];
      from[r] = wide[r];
    }
    const auto* w = static_cast<const int8_t*>(packed);
    for (int64_t column = 0; column < n; column += 16, w += 16 * k) {
      const int64_t columns = n - column < 16 ? n - column : 16;
      int32_t* to[kRows];
      for (int r = 0; r < rows; r++) to[r] = c + (first + r) * ldc + column;
      switch (rows) {
        case 4:
          tile<4>(from, w, k, to, columns);
          break;
        case 3:
          tile<3>(from, w, k, to, columns);
          break;
        case 2:
          tile<2>(from, w, k, to, columns);
          break;
        default:
          tile<1>(from, w, k, to, columns);
      }
    }
  }
}
}  // namespace amanuensis
