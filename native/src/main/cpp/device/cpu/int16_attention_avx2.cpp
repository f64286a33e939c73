#include "device/cpu/int16_attention.h"
#include "device/cpu/int16_tile_avx2.inl"

// AlignedArray's members are templates that other files share: nothing here may be the copy the linker keeps,
// so this file only takes pointers from them.
namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kKeyMost = 4095;  // 64 products: 64 * 4095^2 < 2^31
constexpr int kValueMost = Int16Block::kValueMost;
constexpr int kStretch = Int16Block::kStretch;
constexpr float kLogMost = Int16Block::kLogMost;
static_assert(Int16Block::kRows % kInt16Tile == 0);

// n: a multiple of 16.
float largest(const float* x, int64_t n) {
  __m256 m = _mm256_setzero_ps(), other = m;
  const __m256 sign = _mm256_set1_ps(-0.0f);
  for (int64_t i = 0; i < n; i += 16) {
    m = _mm256_max_ps(m, _mm256_andnot_ps(sign, _mm256_loadu_ps(x + i)));
    other = _mm256_max_ps(other, _mm256_andnot_ps(sign, _mm256_loadu_ps(x + i + 8)));
  }
  m = _mm256_max_ps(m, other);
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, m);
  float best = lanes[0];
  for (float lane : lanes) best = lane > best ? lane : best;
  return best;
}

// 16 floats -> 16 int16, rounded to nearest.
inline __m256i to_int16(const float* x, __m256 factor) {
  const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), factor));
  const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8), factor));
  return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
}

// 2^x for x <= 13 (below -10: nearly nothing), relative error 7.5e-5: less than half a step of the result.
inline __m256i exp2_int(__m256 x) {
  const __m256 magic = _mm256_set1_ps(12582912.0f);  // 1.5 * 2^23: rounds; its low 9 bits are zero
  x = _mm256_max_ps(x, _mm256_set1_ps(-10.0f));
  const __m256 z = _mm256_add_ps(x, magic);
  const __m256 f = _mm256_sub_ps(x, _mm256_sub_ps(z, magic));
  __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(0.0551716691f), f, _mm256_set1_ps(0.242611122f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.693260985f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.999928074f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(z), 23);
  return _mm256_cvtps_epi32(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent)));
}

inline __m256i load(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

template <bool kWeighted>
inline __m256 log2_score(const int32_t* s, __m256 factor, const float* weights) {
  const __m256 v = _mm256_cvtepi32_ps(load(s));
  return kWeighted ? _mm256_fmadd_ps(v, factor, _mm256_loadu_ps(weights)) : _mm256_mul_ps(v, factor);
}

template <bool kWeighted>
float largest_score(const int32_t* s, int padded, float factor, const float* weights) {
  const __m256 f = _mm256_set1_ps(factor);
  __m256 m = log2_score<kWeighted>(s, f, weights);
  for (int t = 8; t < padded; t += 8)
    m = _mm256_max_ps(m, log2_score<kWeighted>(s + t, f, kWeighted ? weights + t : nullptr));
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, m);
  float best = lanes[0];
  for (float lane : lanes) best = lane > best ? lane : best;
  return best;
}

// In place: int32 scores -> int16 probabilities (2^13 for the largest). Returns their sum.
template <bool kWeighted>
float softmax(int32_t* s, int rows, int padded, float factor, const float* weights) {
  for (int t = rows; t < padded; t++) s[t] = s[rows - 1];
  const __m256 f = _mm256_set1_ps(factor);
  const __m256 shift = _mm256_set1_ps(kLogMost - largest_score<kWeighted>(s, padded, factor, weights));
  auto* p = reinterpret_cast<int16_t*>(s);
  __m256i sum = _mm256_setzero_si256();
  for (int t = 0; t < padded; t += 16) {
    const __m256i a =
        exp2_int(_mm256_add_ps(log2_score<kWeighted>(s + t, f, kWeighted ? weights + t : nullptr), shift));
    const __m256i b = exp2_int(
        _mm256_add_ps(log2_score<kWeighted>(s + t + 8, f, kWeighted ? weights + t + 8 : nullptr), shift));
    sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + t),
                        _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8));
  }
  alignas(32) int32_t lanes[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sum);
  int32_t total = 0;
  for (int32_t lane : lanes) total += lane;
  for (int t = rows; t < padded; t++) {
    total -= p[t];
    p[t] = 0;
  }
  return static_cast<float>(total);
}

// Eight pairs of int16 of each of eight rows, kHead apart -> the pair of each row side by side, pair by pair
// 16 pairs apart.
inline void transpose_pairs(const int16_t* rows, int16_t* to) {
  __m256i r[8], t[8];
  for (int i = 0; i < 8; i++) r[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows + i * kHead));
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; j++) {
      r[i + 2 * j] = _mm256_unpacklo_epi64(t[i + j], t[i + j + 2]);
      r[i + 2 * j + 1] = _mm256_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  for (int i = 0; i < 4; i++) {
    auto* at = reinterpret_cast<__m256i*>(to + i * 2 * kInt16Panel);
    _mm256_storeu_si256(at, _mm256_permute2x128_si256(r[i], r[i + 4], 0x20));
    at = reinterpret_cast<__m256i*>(to + (i + 4) * 2 * kInt16Panel);
    _mm256_storeu_si256(at, _mm256_permute2x128_si256(r[i], r[i + 4], 0x31));
  }
}

// sums[6 x 64 at column] += a tile of int32.
inline void add_tile(const int32_t* tile, float* sums) {
  for (int64_t r = 0; r < kInt16Tile; r++)
    for (int half = 0; half < 2; half++) {
      float* to = sums + r * kHead + half * 8;
      const __m256i v = load(tile + r * kInt16Panel + half * 8);
      _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), _mm256_cvtepi32_ps(v)));
    }
}
}  // namespace

namespace {
float pack_keys(const float* keys, int rows, int padded, void* packed, int32_t*) {
  const float most = largest(keys, int64_t{kHead} * rows);
  const __m256 key_factor = _mm256_set1_ps(most > 0 ? kKeyMost / most : 0.0f);
  alignas(32) int16_t panel[kInt16Panel * kHead];  // 16 keys, row by row
  for (int first = 0; first < padded; first += static_cast<int>(kInt16Panel)) {
    for (int t = first; t < first + kInt16Panel; t++)
      for (int d = 0; d < kHead; d += 16)
        _mm256_store_si256(
            reinterpret_cast<__m256i*>(panel + (t - first) * kHead + d),
            t < rows ? to_int16(keys + int64_t{t} * kHead + d, key_factor) : _mm256_setzero_si256());
    int16_t* to = static_cast<int16_t*>(packed) + int64_t{first} * kHead;
    for (int half = 0; half < kInt16Panel; half += 8)
      for (int d = 0; d < kHead; d += 16)
        transpose_pairs(panel + half * kHead + d, to + d * kInt16Panel + half * 2);
  }
  return most / kKeyMost;
}
}  // namespace

void Int16Head::pack_values(const float* values, int rows) {
  // One pass over the rows: a register for each eight columns.
  __m256 most_of[kHead / 8];
  for (auto& m : most_of) m = _mm256_setzero_ps();
  for (int64_t t = 0; t < rows; t++)
    for (int v = 0; v < kHead / 8; v++)
      most_of[v] = _mm256_max_ps(
          most_of[v], _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_loadu_ps(values + t * kHead + v * 8)));
  float value_factor[kHead];
  for (int v = 0; v < kHead / 8; v++) _mm256_storeu_ps(value_factor + v * 8, most_of[v]);
  for (int c = 0; c < kHead; c++) {
    value_scale_[c] = value_factor[c] / kValueMost;
    value_factor[c] = value_factor[c] > 0 ? kValueMost / value_factor[c] : 0.0f;
  }
  int16_t* packed_values = values_.data();
  for (int64_t t = 0; t < padded_; t += 2)
    for (int c = 0; c < kHead; c += 8) {
      const __m256 factor = _mm256_loadu_ps(value_factor + c);
      const auto row = [&](int64_t at) {
        return at < rows ? _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + at * kHead + c), factor))
                         : _mm256_setzero_si256();
      };
      // One int32 per column: this row in the low half, the next in the high half.
      const __m256i pair = _mm256_blend_epi16(row(t), _mm256_slli_epi32(row(t + 1), 16), 0xAA);
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(packed_values + c / 16 * (int64_t{padded_} * 16) + t * 16 + c % 16 * 2),
          pair);
    }
}

namespace {
void attend(const Int16Block& block) {
  constexpr int kTile = kInt16Tile;
  const int rows = block.rows, tiled = (rows + kTile - 1) / kTile * kTile, padded = block.padded_keys;
  const int64_t stride = block.stride;
  float factor[Int16Block::kRows], total[Int16Block::kRows];
  auto* q = static_cast<int16_t*>(block.q);
  const auto* packed_keys = static_cast<const int16_t*>(block.packed_keys);
  for (int r = 0; r < rows; r++) {
    const float* query = block.queries + r * block.q_stride;
    const float most = largest(query, kHead);
    const __m256 f = _mm256_set1_ps(most > 0 ? kKeyMost / most : 0.0f);
    for (int d = 0; d < kHead; d += 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(q + r * kHead + d), to_int16(query + d, f));
    factor[r] = most / kKeyMost * block.key_scale * 1.44269504f;
  }
  for (int first = 0; first < padded; first += 16)
    for (int r = 0; r < tiled; r += kTile)
      int16_tile(q + r * kHead, kHead, packed_keys + int64_t{first} * kHead, kHead,
                 block.scores + r * stride + first, stride);
  for (int r = 0; r < rows; r++)
    total[r] =
        block.log2_weights
            ? softmax<true>(block.scores + r * stride, block.keys, padded, factor[r], block.log2_weights)
            : softmax<false>(block.scores + r * stride, block.keys, padded, factor[r], nullptr);

  const auto* probabilities = reinterpret_cast<const int16_t*>(block.scores);
  alignas(32) int32_t tile[kInt16Tile * kInt16Panel];
  for (int i = 0; i < tiled * kHead; i += 8) _mm256_storeu_ps(block.sums + i, _mm256_setzero_ps());
  for (int first = 0; first < padded; first += kStretch) {
    const int here = padded - first < kStretch ? padded - first : kStretch;
    for (int column = 0; column < kHead; column += 16)
      for (int r = 0; r < tiled; r += kTile) {
        int16_tile(probabilities + r * stride * 2 + first, stride * 2,
                   block.packed_values + int64_t{column} * padded + first * 16, here, tile, kInt16Panel);
        add_tile(tile, block.sums + r * kHead + column);
      }
  }
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < kHead; c += 8) {
      const __m256 scale =
          _mm256_mul_ps(_mm256_loadu_ps(block.value_scale + c), _mm256_set1_ps(1.0f / total[r]));
      _mm256_storeu_ps(block.out + r * block.out_stride + c,
                       _mm256_mul_ps(_mm256_loadu_ps(block.sums + r * kHead + c), scale));
    }
}
}  // namespace

const Int16Kernel& int16_kernel_avx2() {
  static const Int16Kernel kernel{pack_keys, attend};
  return kernel;
}

}  // namespace amanuensis
