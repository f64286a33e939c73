#include "device/cpu/int16_attention.h"
#include "device/cpu/vnni.inl"

// As in int16_attention_avx2.cpp, nothing here may be the copy of a template that the linker keeps.
namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kPanel = 16;  // columns of b side by side: one register of int32
// Rows of a tile, by two panels: twenty sums hide the latency of vpdpwssd on both of its ports.
constexpr int kTile = 10;
static_assert(Int16Block::kRows % kTile == 0);

inline int32_t pair(const int16_t* p) {
  int32_t v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// put(row, panel, a[kTile x k] * b[k x kPanels panels]). b: panels of k/2 x 16 columns x (k, k + 1), b_stride
// apart. Rows of a are lda apart. k is even.
template <int kPanels, class Put>
inline void tile(const int16_t* a, int64_t lda, const int16_t* b, int64_t b_stride, int k, Put put) {
  __m512i sum[kTile][kPanels];
#pragma GCC unroll 16
  for (int r = 0; r < kTile; r++)
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; p++) sum[r][p] = _mm512_setzero_si512();
  for (int i = 0; i < k; i += 2, a += 2, b += 2 * kPanel) {
    __m512i columns[kPanels];
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; p++) columns[p] = _mm512_load_si512(b + p * b_stride);
#pragma GCC unroll 16
    for (int r = 0; r < kTile; r++) {
      const __m512i x = _mm512_set1_epi32(pair(a + r * lda));
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; p++) add_pair_products(sum[r][p], x, columns[p]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kTile; r++)
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; p++) put(r, p, sum[r][p]);
}

// 2^x for x <= 13 (below -10: nearly nothing), relative error 7.5e-5: less than half a step of the result.
inline __m512i exp2_int(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-10.0f));
  const __m512 f = _mm512_reduce_ps(x, 0);  // x - round(x)
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.0551716691f), f, _mm512_set1_ps(0.242611122f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693260985f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.999928074f));
  return _mm512_cvtps_epi32(_mm512_scalef_ps(p, _mm512_sub_ps(x, f)));
}

inline __m512 to_float(const int32_t* s) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(s)); }

// The largest score, in units of log2.
float largest_score(const int32_t* s, int padded, float factor, const float* weights) {
  if (!weights) {
    __m512i most = _mm512_loadu_si512(s);
    for (int t = 16; t < padded; t += 16) most = _mm512_max_epi32(most, _mm512_loadu_si512(s + t));
    return static_cast<float>(_mm512_reduce_max_epi32(most)) * factor;
  }
  const __m512 f = _mm512_set1_ps(factor);
  const auto score = [&](int t) { return _mm512_fmadd_ps(to_float(s + t), f, _mm512_loadu_ps(weights + t)); };
  __m512 most = score(0);
  for (int t = 16; t < padded; t += 16) most = _mm512_max_ps(most, score(t));
  return _mm512_reduce_max_ps(most);
}

// In place: int32 scores -> int16 probabilities (2^13 for the largest). Returns their sum.
template <bool kWeighted>
float softmax(int32_t* s, int keys, int padded, float factor, const float* weights) {
  for (int t = keys; t < padded; t++) s[t] = s[keys - 1];
  const __m512 f = _mm512_set1_ps(factor);
  const __m512 shift = _mm512_set1_ps(Int16Block::kLogMost - largest_score(s, padded, factor, weights));
  const auto probability = [&](int t) {
    const __m512 x = _mm512_fmadd_ps(to_float(s + t), f, shift);
    return exp2_int(kWeighted ? _mm512_add_ps(x, _mm512_loadu_ps(weights + t)) : x);
  };
  // The low halves of two registers, one after the other.
  const __m512i low_halves = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32,
                                              30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  auto* p = reinterpret_cast<int16_t*>(s);
  __m512i sum = _mm512_setzero_si512();
  int t = 0;
  for (; t + 32 <= padded; t += 32) {
    const __m512i a = probability(t), b = probability(t + 16);
    sum = _mm512_add_epi32(sum, _mm512_add_epi32(a, b));
    _mm512_storeu_si512(p + t, _mm512_permutex2var_epi16(a, low_halves, b));
  }
  if (t < padded) {
    const __m512i a = probability(t);
    sum = _mm512_add_epi32(sum, a);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + t), _mm512_cvtepi32_epi16(a));
  }
  int32_t total = _mm512_reduce_add_epi32(sum);
  for (t = keys; t < padded; t++) {
    total -= p[t];
    p[t] = 0;
  }
  return static_cast<float>(total);
}

// Rows of queries -> int16; factor: what turns a product with a key into a score times log2(e).
void quantise_queries(const Int16Block& block, float* factor) {
  for (int r = 0; r < block.rows; r++) {
    const float* from = block.queries + r * block.q_stride;
    __m512 most = _mm512_setzero_ps();
    for (int d = 0; d < kHead; d += 16) most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(from + d)));
    const float largest = _mm512_reduce_max_ps(most);
    const __m512 scale = _mm512_set1_ps(largest > 0 ? Int16Block::kKeyMost / largest : 0.0f);
    for (int d = 0; d < kHead; d += 16) {
      const __m512i v = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(from + d), scale));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(block.q + r * kHead + d), _mm512_cvtepi32_epi16(v));
    }
    factor[r] = largest / Int16Block::kKeyMost * block.key_scale * 1.44269504f;
  }
}

template <int kPanels>
void score_tile(const Int16Block& block, int row, int key) {
  int32_t* to = block.scores + row * block.stride + key;
  tile<kPanels>(block.q + row * kHead, kHead, block.packed_keys + int64_t{key} * kHead, kPanel * kHead, kHead,
                [&](int r, int p, __m512i v) { _mm512_storeu_si512(to + r * block.stride + p * kPanel, v); });
}
}  // namespace

void int16_attend_avx512(const Int16Block& block) {
  const int rows = block.rows, tiled = (rows + kTile - 1) / kTile * kTile, padded = block.padded_keys;
  const int64_t stride = block.stride;
  float factor[Int16Block::kRows], total[Int16Block::kRows];
  quantise_queries(block, factor);
  int key = 0;
  for (; key + 2 * kPanel <= padded; key += 2 * kPanel)
    for (int r = 0; r < tiled; r += kTile) score_tile<2>(block, r, key);
  if (key < padded)
    for (int r = 0; r < tiled; r += kTile) score_tile<1>(block, r, key);
  for (int r = 0; r < rows; r++)
    total[r] =
        block.log2_weights
            ? softmax<true>(block.scores + r * stride, block.keys, padded, factor[r], block.log2_weights)
            : softmax<false>(block.scores + r * stride, block.keys, padded, factor[r], nullptr);

  const auto* probabilities = reinterpret_cast<const int16_t*>(block.scores);
  for (int i = 0; i < tiled * kHead; i += 16) _mm512_storeu_ps(block.sums + i, _mm512_setzero_ps());
  for (int first = 0; first < padded; first += Int16Block::kStretch) {
    const int here = padded - first < Int16Block::kStretch ? padded - first : Int16Block::kStretch;
    for (int column = 0; column < kHead; column += 2 * kPanel)
      for (int row = 0; row < tiled; row += kTile) {
        float* to = block.sums + row * kHead + column;
        tile<2>(probabilities + row * stride * 2 + first, stride * 2,
                block.packed_values + int64_t{column} * padded + first * kPanel, int64_t{padded} * kPanel,
                here, [&](int r, int p, __m512i v) {
                  float* at = to + r * kHead + p * kPanel;
                  _mm512_storeu_ps(at, _mm512_add_ps(_mm512_loadu_ps(at), _mm512_cvtepi32_ps(v)));
                });
      }
  }
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < kHead; c += 16) {
      const __m512 scale =
          _mm512_mul_ps(_mm512_loadu_ps(block.value_scale + c), _mm512_set1_ps(1.0f / total[r]));
      _mm512_storeu_ps(block.out + r * block.out_stride + c,
                       _mm512_mul_ps(_mm512_loadu_ps(block.sums + r * kHead + c), scale));
    }
}

}  // namespace amanuensis
