// The contract's product by a kernel of the fake's own: it shares no code with the engine that is tested.
#include <immintrin.h>

#include <cstring>

#include "fake.h"

namespace xrt_fake {

namespace {
void gemm_generic(const int8_t* a, const int8_t* b, int32_t* c, int64_t m, int64_t k, int64_t n) {
  std::memset(c, 0, static_cast<size_t>(m * n) * 4);
  for (int64_t r = 0; r < m; r++)
    for (int64_t i = 0; i < k; i++) {
      const int32_t x = a[r * k + i];
      for (int64_t j = 0; j < n; j++) c[r * n + j] += x * b[i * n + j];
    }
}

// Four rows by sixteen columns; b as pairs of k, widened to int16.
__attribute__((target("avx2"))) void tile(const int16_t* const* a, const int16_t* b, int64_t pairs,
                                          int32_t* c, int64_t n) {
  __m256i sum[4][2];
  for (auto& row : sum) row[0] = row[1] = _mm256_setzero_si256();
  for (int64_t p = 0; p < pairs; p++) {
    const __m256i b0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(b + p * 32));
    const __m256i b1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(b + p * 32 + 16));
    for (int r = 0; r < 4; r++) {
      int32_t pair;
      std::memcpy(&pair, a[r] + 2 * p, 4);
      const __m256i x = _mm256_set1_epi32(pair);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, b0));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, b1));
    }
  }
  for (int r = 0; r < 4; r++)
    for (int h = 0; h < 2; h++) _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + r * n + 8 * h), sum[r][h]);
}

void gemm_avx2(const int8_t* a, const int8_t* b, int32_t* c, int64_t m, int64_t k, int64_t n) {
  std::vector<int16_t> wide(a, a + m * k);
  auto* panel = static_cast<int16_t*>(std::aligned_alloc(32, static_cast<size_t>(k) * 32));
  for (int64_t j = 0; j < n; j += 16) {
    for (int64_t i = 0; i < k; i++)
      for (int64_t x = 0; x < 16; x++) panel[i / 2 * 32 + x * 2 + i % 2] = b[i * n + j + x];
    for (int64_t r = 0; r < m; r += 4) {
      const int16_t* rows[4];
      for (int64_t x = 0; x < 4; x++) rows[x] = wide.data() + (r + x) * k;
      tile(rows, panel, k / 2, c + r * n + j, n);
    }
  }
  std::free(panel);
}
}  // namespace

void gemm(const int8_t* a, const int8_t* b, int32_t* c, int64_t m, int64_t k, int64_t n) {
  if (__builtin_cpu_supports("avx2") && m % 4 == 0 && n % 16 == 0 && k % 2 == 0)
    gemm_avx2(a, b, c, m, k, n);
  else
    gemm_generic(a, b, c, m, k, n);
}

}  // namespace xrt_fake
