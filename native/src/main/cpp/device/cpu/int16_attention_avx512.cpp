#include "device/cpu/int16_attention.h"
#include "device/cpu/vnni.inl"

// As in int16_attention_avx2.cpp, nothing here may be the copy of a template that the linker keeps.
namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kPanel = 16;  // columns of b side by side: one register of int32
// Rows of a tile, by two panels: twenty sums hide the latency of vpdpwssd on both of its ports.
constexpr int kTile = 10;
constexpr float kByteMost = 127;  // of queries and keys
static_assert(Int16Block::kRows % kTile == 0);

inline int32_t word(const uint8_t* p) {
  int32_t v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// What a lane's product takes from a and from b in one step: two int16, or an unsigned byte times a signed
// one four times.
struct Pairs {
  static void add(__m512i& sum, __m512i a, __m512i b) { add_pair_products(sum, a, b); }
};
struct Bytes {
  static void add(__m512i& sum, __m512i a, __m512i b) { add_byte_products(sum, a, b); }
};

// put(row, panel, start[panel] + a[kTile rows] * b[kPanels panels]). b: for each step 16 columns of four
// bytes, panels b_stride bytes apart. Rows of a are lda bytes apart.
template <class Products, int kPanels, class Put>
inline void tile(const void* left, int64_t lda, const void* right, int64_t b_stride, int steps,
                 const __m512i* start, Put put) {
  const auto* a = static_cast<const uint8_t*>(left);
  const auto* b = static_cast<const uint8_t*>(right);
  __m512i sum[kTile][kPanels];
#pragma GCC unroll 16
  for (int r = 0; r < kTile; r++)
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; p++) sum[r][p] = start[p];
  for (int i = 0; i < steps; i++, a += 4, b += 64) {
    __m512i columns[kPanels];
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; p++) columns[p] = _mm512_load_si512(b + p * b_stride);
#pragma GCC unroll 16
    for (int r = 0; r < kTile; r++) {
      const __m512i x = _mm512_set1_epi32(word(a + r * lda));
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; p++) Products::add(sum[r][p], x, columns[p]);
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

__m512i rounded(const float* x, __m512 scale) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), scale));
}
float largest_magnitude(const float* x, int64_t n) {
  __m512 most = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(x + i)));
  return _mm512_reduce_max_ps(most);
}

// Panels of 16 keys: 16 x (four dimensions of each key) of signed bytes.
float pack_keys(const float* keys, int rows, int padded, void* packed, int32_t* offset) {
  const float most = largest_magnitude(keys, int64_t{kHead} * rows);
  const __m512 scale = _mm512_set1_ps(most > 0 ? kByteMost / most : 0.0f);
  const __m512i apart = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i ones = _mm512_set1_epi8(1);
  auto* to = static_cast<int8_t*>(packed);
  alignas(64) int8_t panel[kPanel * kHead];  // key by key
  for (int first = 0; first < padded; first += kPanel) {
    for (int t = 0; t < kPanel; t++)
      for (int d = 0; d < kHead; d += 16)
        _mm_store_si128(reinterpret_cast<__m128i*>(panel + t * kHead + d),
                        first + t < rows
                            ? _mm512_cvtepi32_epi8(rounded(keys + int64_t{first + t} * kHead + d, scale))
                            : _mm_setzero_si128());
    __m512i sum = _mm512_setzero_si512();
    for (int d = 0; d < kHead; d += 4, to += 64) {
      const __m512i four = _mm512_i32gather_epi32(_mm512_slli_epi32(apart, 6), panel + d, 1);
      _mm512_store_si512(to, four);
      add_byte_products(sum, ones, four);
    }
    // Queries are 128 too large.
    _mm512_storeu_si512(offset + first, _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7)));
  }
  return most / kByteMost;
}

// Rows of queries -> bytes, 128 too large; factor: what turns a product with a key into a score times
// log2(e).
void quantise_queries(const Int16Block& block, float* factor) {
  auto* to = static_cast<uint8_t*>(block.q);
  for (int r = 0; r < block.rows; r++) {
    const float* from = block.queries + r * block.q_stride;
    const float largest = largest_magnitude(from, kHead);
    const __m512 scale = _mm512_set1_ps(largest > 0 ? kByteMost / largest : 0.0f);
    for (int d = 0; d < kHead; d += 16)
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(to + r * kHead + d),
          _mm512_cvtepi32_epi8(_mm512_add_epi32(rounded(from + d, scale), _mm512_set1_epi32(128))));
    factor[r] = largest / kByteMost * block.key_scale * 1.44269504f;
  }
}

template <int kPanels>
void score_tile(const Int16Block& block, int row, int key) {
  int32_t* to = block.scores + row * block.stride + key;
  __m512i start[kPanels];
  for (int p = 0; p < kPanels; p++) start[p] = _mm512_loadu_si512(block.key_offset + key + p * kPanel);
  tile<Bytes, kPanels>(
      static_cast<const uint8_t*>(block.q) + row * kHead, kHead,
      static_cast<const uint8_t*>(block.packed_keys) + int64_t{key} * kHead, kPanel * kHead, kHead / 4, start,
      [&](int r, int p, __m512i v) { _mm512_storeu_si512(to + r * block.stride + p * kPanel, v); });
}

void attend(const Int16Block& block) {
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

  const __m512i zero[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  const auto* probabilities = reinterpret_cast<const int16_t*>(block.scores);
  for (int i = 0; i < tiled * kHead; i += 16) _mm512_storeu_ps(block.sums + i, _mm512_setzero_ps());
  for (int first = 0; first < padded; first += Int16Block::kStretch) {
    const int here = padded - first < Int16Block::kStretch ? padded - first : Int16Block::kStretch;
    for (int column = 0; column < kHead; column += 2 * kPanel)
      for (int row = 0; row < tiled; row += kTile) {
        float* to = block.sums + row * kHead + column;
        tile<Pairs, 2>(probabilities + row * stride * 2 + first, stride * 4,
                       block.packed_values + int64_t{column} * padded + first * kPanel,
                       int64_t{padded} * kPanel * 2, here / 2, zero, [&](int r, int p, __m512i v) {
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
}  // namespace

const Int16Kernel& int16_kernel_vnni() {
  static const Int16Kernel kernel{pack_keys, attend};
  return kernel;
}

}  // namespace amanuensis
