#include "device/plain_gemm.h"

#include <immintrin.h>

namespace amanuensis {

namespace {

bool has_avx2() {
  static const bool yes = __builtin_cpu_supports("avx2") != 0;
  return yes;
}

int32_t dot_generic(const int8_t* a, const int8_t* w, int64_t k) {
  int32_t sum = 0;
  for (int64_t i = 0; i < k; i++) sum += int32_t{a[i]} * w[i];
  return sum;
}

__attribute__((target("avx2"))) __m256i wide(const int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

__attribute__((target("avx2"))) int32_t total(__m256i v) {
  const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i pair = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 0xb1)));
}

// Two rows of a by four rows of w; the rest of k (k % 16) by hand.
template <int kA, int kW>
__attribute__((target("avx2"))) void tile_avx2(const int8_t* a, const int8_t* w, int64_t k, int32_t* c,
                                               int64_t ldc) {
  __m256i sum[kA][kW];
  for (auto& row : sum)
    for (auto& s : row) s = _mm256_setzero_si256();
  const int64_t whole = k / 16 * 16;
  for (int64_t i = 0; i < whole; i += 16) {
    __m256i x[kA];
    for (int r = 0; r < kA; r++) x[r] = wide(a + r * k + i);
    for (int j = 0; j < kW; j++) {
      const __m256i y = wide(w + j * k + i);
      for (int r = 0; r < kA; r++) sum[r][j] = _mm256_add_epi32(sum[r][j], _mm256_madd_epi16(x[r], y));
    }
  }
  for (int r = 0; r < kA; r++)
    for (int j = 0; j < kW; j++)
      c[r * ldc + j] = total(sum[r][j]) + dot_generic(a + r * k + whole, w + j * k + whole, k - whole);
}

__attribute__((target("avx2"))) uint32_t weighted_sum_avx2(const int32_t* x, const uint32_t* by, int64_t n) {
  __m256i sum = _mm256_setzero_si256(), more = sum;
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const auto* p = reinterpret_cast<const __m256i*>(x + i);
    const auto* q = reinterpret_cast<const __m256i*>(by + i);
    sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(_mm256_loadu_si256(p), _mm256_loadu_si256(q)));
    more = _mm256_add_epi32(more, _mm256_mullo_epi32(_mm256_loadu_si256(p + 1), _mm256_loadu_si256(q + 1)));
  }
  auto result = static_cast<uint32_t>(total(_mm256_add_epi32(sum, more)));
  for (; i < n; i++) result += static_cast<uint32_t>(x[i]) * by[i];
  return result;
}

__attribute__((target("avx2"))) uint32_t weighted_sum_avx2(const int8_t* x, const uint32_t* by, int64_t n) {
  __m256i sum = _mm256_setzero_si256();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i p = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x + i)));
    sum = _mm256_add_epi32(
        sum, _mm256_mullo_epi32(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(by + i))));
  }
  auto result = static_cast<uint32_t>(total(sum));
  for (; i < n; i++) result += static_cast<uint32_t>(int32_t{x[i]}) * by[i];
  return result;
}

__attribute__((target("avx2"))) bool within_avx2(const int32_t* x, int32_t bound, int64_t n) {
  const __m256i high = _mm256_set1_epi32(bound), low = _mm256_set1_epi32(-bound);
  __m256i out = _mm256_setzero_si256();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    out = _mm256_or_si256(out, _mm256_or_si256(_mm256_cmpgt_epi32(v, high), _mm256_cmpgt_epi32(low, v)));
  }
  bool inside = _mm256_testz_si256(out, out) != 0;
  for (; i < n; i++) inside = inside && x[i] <= bound && x[i] >= -bound;
  return inside;
}

}  // namespace

void plain_gemm(const int8_t* a, int64_t m, const int8_t* w, int64_t n, int64_t k, int32_t* c) {
  // 16 rows of a stay in L1 while w passes by.
  constexpr int64_t kBlock = 16;
  for (int64_t first = 0; first < m; first += kBlock)
    for (int64_t j = 0; j < n;) {
      const int64_t last = first + kBlock < m ? first + kBlock : m;
      const bool four = has_avx2() && j + 4 <= n;
      for (int64_t r = first; r < last;) {
        int32_t* to = c + r * n + j;
        if (four && r + 2 <= last) {
          tile_avx2<2, 4>(a + r * k, w + j * k, k, to, n);
          r += 2;
          continue;
        }
        if (four)
          tile_avx2<1, 4>(a + r * k, w + j * k, k, to, n);
        else
          *to = dot_generic(a + r * k, w + j * k, k);
        r++;
      }
      j += four ? 4 : 1;
    }
}

uint32_t weighted_sum(const int32_t* x, const uint32_t* by, int64_t n) {
  if (has_avx2()) return weighted_sum_avx2(x, by, n);
  uint32_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += static_cast<uint32_t>(x[i]) * by[i];
  return sum;
}

uint32_t weighted_sum(const int8_t* x, const uint32_t* by, int64_t n) {
  if (has_avx2()) return weighted_sum_avx2(x, by, n);
  uint32_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += static_cast<uint32_t>(int32_t{x[i]}) * by[i];
  return sum;
}

bool within(const int32_t* x, int32_t bound, int64_t n) {
  if (has_avx2()) return within_avx2(x, bound, n);
  bool inside = true;
  for (int64_t i = 0; i < n; i++) inside = inside && x[i] <= bound && x[i] >= -bound;
  return inside;
}

RowCheck::RowCheck(const int8_t* w, int64_t n, int64_t k, uint64_t seed)
    : n_(n), k_(k), r_(static_cast<size_t>(n)), folded_(static_cast<size_t>(k)) {
  uint64_t state = seed;
  for (auto& r : r_) {  // splitmix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    r = static_cast<uint32_t>(z >> 32) | 1u;
  }
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < k; i++)
      folded_[static_cast<size_t>(i)] +=
          static_cast<uint32_t>(int32_t{w[j * k + i]}) * r_[static_cast<size_t>(j)];
}

bool RowCheck::agrees(const int32_t* c, uint32_t expected) const {
  return weighted_sum(c, r_.data(), n_) == expected && within(c, static_cast<int32_t>(k_ * 127 * 127), n_);
}

}  // namespace amanuensis
