#include <immintrin.h>

#include <cstring>

#include "device/cpu/exact_gemm.h"
#include "device/cpu/integer_tile_avx2.inl"

namespace amanuensis {

namespace {
// A row of a, widened to int16 pairs, one pair per int32.
constexpr int64_t kMaxK = 4096;
// Many rows: a panel of kDepth x 16 weights is widened once (16 KB, in L1) for up to kBlockRows rows (in L2).
constexpr int64_t kDepth = 512;
constexpr int64_t kBlockRows = 120;
constexpr int64_t kFewRows = 8;

void widen(const int8_t* from, int16_t* to, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + i),
                       _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  for (; i < n; i++) to[i] = from[i];
}

// Rows [0, rows) x columns [0, columns) of a tile -> c, stored or added.
void put(const int32_t* part, int64_t rows, int64_t columns, bool added, int32_t* c, int64_t ldc) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < columns; j++)
      c[r * ldc + j] = part[r * kTileColumns + j] + (added ? c[r * ldc + j] : 0);
}

void many_rows(const int8_t* a, int64_t lda, const int8_t* w, int32_t* c, int64_t ldc, int64_t m, int64_t k,
               int64_t n) {
  alignas(64) static thread_local int16_t wide[kBlockRows * kDepth];
  alignas(64) int16_t panel[kDepth * kTileColumns];
  alignas(32) int32_t part[kTileRows * kTileColumns];
  for (int64_t depth = 0; depth < k; depth += kDepth) {
    const int64_t here = k - depth < kDepth ? k - depth : kDepth;
    for (int64_t r = 0; r < m; r++) widen(a + r * lda + depth, wide + r * kDepth, here);
    for (int64_t column = 0; column < n; column += kTileColumns) {
      const int64_t columns = n - column < kTileColumns ? n - column : kTileColumns;
      widen(w + column * k + depth * kTileColumns, panel, here * kTileColumns);
      for (int64_t row = 0; row < m; row += kTileRows) {
        const int64_t rows = m - row < kTileRows ? m - row : kTileRows;
        int32_t* to = c + row * ldc + column;
        if (depth == 0 && rows == kTileRows && columns == kTileColumns) {
          integer_tile<Products::kPairs>(wide + row * kDepth, kDepth * 2, panel, here / 2, nullptr, to, ldc);
        } else {
          integer_tile<Products::kPairs>(wide + row * kDepth, kDepth * 2, panel, here / 2, nullptr, part,
                                         kTileColumns);
          put(part, rows, columns, depth > 0, to, ldc);
        }
      }
    }
  }
}

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

void run(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m, int64_t k,
         int64_t n) {
  if (m > kFewRows && k % 4 == 0) {
    for (int64_t first = 0; first < m; first += kBlockRows)
      many_rows(a + first * lda, lda, static_cast<const int8_t*>(packed), c + first * ldc, ldc,
                m - first < kBlockRows ? m - first : kBlockRows, k, n);
    return;
  }
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

#if defined(AMANUENSIS_AVX_VNNI)
void to_unsigned(const int8_t* from, uint8_t* to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<uint8_t>(from[i] ^ -128);
}

void run_vnni(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m, int64_t k,
              int64_t n) {
  // Rows a multiple of 4 KB apart would share sets of the cache: 64 bytes spread them.
  alignas(64) static thread_local uint8_t block[kBlockRows * (kMaxK + 64)];
  alignas(32) int32_t part[kTileRows * kTileColumns];
  const int64_t deep = (k + 7) / 8 * 8, apart = (deep + 63) / 64 * 64 + 64;
  const auto* offset = static_cast<const int32_t*>(packed);
  const auto* w =
      reinterpret_cast<const int8_t*>(offset + (n + kTileColumns - 1) / kTileColumns * kTileColumns);
  for (int64_t first = 0; first < m; first += kBlockRows) {
    const int64_t rows = m - first < kBlockRows ? m - first : kBlockRows;
    for (int64_t r = 0; r < rows; r++) to_unsigned(a + (first + r) * lda, block + r * apart, k);
    for (int64_t column = 0; column < n; column += kTileColumns) {
      const int8_t* panel = w + column * deep;
      const int64_t columns = n - column < kTileColumns ? n - column : kTileColumns;
      for (int64_t row = 0; row < rows; row += kTileRows) {
        const int64_t here = rows - row < kTileRows ? rows - row : kTileRows;
        int32_t* to = c + (first + row) * ldc + column;
        const bool whole = here == kTileRows && columns == kTileColumns;
        integer_tile<Products::kVnniBytes>(block + row * apart, apart, panel, deep / 4, offset + column,
                                           whole ? to : part, whole ? ldc : kTileColumns);
        if (!whole) put(part, here, columns, false, to, ldc);
      }
    }
  }
}
#endif
}  // namespace

const ExactGemm& exact_gemm_avx2() {
  static const ExactGemm gemm{"avx2", 2, 2, run};
  return gemm;
}

const ExactGemm* exact_gemm_avx_vnni() {
#if defined(AMANUENSIS_AVX_VNNI)
  static const ExactGemm gemm{"avx vnni", 4, 8, run_vnni};
  return &gemm;
#else
  return nullptr;
#endif
}
}  // namespace amanuensis
