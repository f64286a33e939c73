#include "device/cpu/int16_attention.h"
#include "device/cpu/integer_tile_avx2.inl"

// AlignedArray's members are templates that other files share: nothing here may be the copy the linker keeps,
// so this file only takes pointers from them.
namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kValueMost = Int16Block::kValueMost;
constexpr int kStretch = Int16Block::kStretch;
constexpr float kLogMost = Int16Block::kLogMost;
static_assert(Int16Block::kRows % kTileRows == 0);

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

// Eight words of four bytes of each of eight rows, `apart` bytes apart -> the word of each row side by side,
// word by word 64 bytes apart.
inline void transpose_words(const uint8_t* rows, int64_t apart, uint8_t* to) {
  __m256i r[8], t[8];
  for (int i = 0; i < 8; i++) r[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows + i * apart));
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
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i * 64),
                        _mm256_permute2x128_si256(r[i], r[i + 4], 0x20));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + (i + 4) * 64),
                        _mm256_permute2x128_si256(r[i], r[i + 4], 0x31));
  }
}

// How a kernel holds queries and keys, and its products.
struct Pairs {
  using Key = int16_t;
  using Query = int16_t;
  static constexpr int kMost = 4095;  // 64 products: 64 * 4095^2 < 2^31
  // 16 floats, rounded.
  static void round(const float* x, __m256 factor, Key* to) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), to_int16(x, factor));
  }
  static void round_query(const float* x, __m256 factor, Query* to) { round(x, factor, to); }
  static void offsets(const Key*, int32_t*) {}
  static void scores(const Query* q, const Key* keys, const int32_t*, int32_t* to, int64_t stride) {
    integer_tile<Products::kPairs>(q, kHead * 2, keys, kHead / 2, nullptr, to, stride);
  }
  static void values(const int16_t* p, int64_t stride, const int16_t* v, int64_t keys, int32_t* to) {
    integer_tile<Products::kPairs>(p, stride * 2, v, keys / 2, nullptr, to, kTileColumns);
  }
};

#if defined(AMANUENSIS_AVX_VNNI)
struct Bytes {
  using Key = int8_t;
  using Query = uint8_t;  // 128 too large
  static constexpr int kMost = 127;
  static __m128i rounded(const float* x, __m256 factor) {
    const __m256i wide = to_int16(x, factor);
    return _mm_packs_epi16(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  }
  static void round(const float* x, __m256 factor, Key* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), rounded(x, factor));
  }
  static void round_query(const float* x, __m256 factor, Query* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm_xor_si128(rounded(x, factor), _mm_set1_epi8(static_cast<char>(0x80))));
  }
  static void offsets(const Key* panel, int32_t* to) {
    for (int t = 0; t < kTileColumns; t++) {
      int32_t sum = 0;
      for (int d = 0; d < kHead; d++) sum += panel[t * kHead + d];
      to[t] = -128 * sum;
    }
  }
  static void scores(const Query* q, const Key* keys, const int32_t* offset, int32_t* to, int64_t stride) {
    integer_tile<Products::kVnniBytes>(q, kHead, keys, kHead / 4, offset, to, stride);
  }
  static void values(const int16_t* p, int64_t stride, const int16_t* v, int64_t keys, int32_t* to) {
    integer_tile<Products::kVnniPairs>(p, stride * 2, v, keys / 2, nullptr, to, kTileColumns);
  }
};
#endif

// sums[6 x 64 at column] += a tile of int32.
inline void add_tile(const int32_t* tile, float* sums) {
  for (int64_t r = 0; r < kTileRows; r++)
    for (int half = 0; half < 2; half++) {
      float* to = sums + r * kHead + half * 8;
      const __m256i v = load(tile + r * kTileColumns + half * 8);
      _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), _mm256_cvtepi32_ps(v)));
    }
}

template <class Kernel>
float pack_keys(const float* keys, int rows, int padded, void* packed, int32_t* offset) {
  using Key = typename Kernel::Key;
  constexpr int64_t kRow = kHead * sizeof(Key);
  const float most = largest(keys, int64_t{kHead} * rows);
  const __m256 factor = _mm256_set1_ps(most > 0 ? Kernel::kMost / most : 0.0f);
  alignas(32) Key panel[kTileColumns * kHead];  // 16 keys, row by row
  for (int first = 0; first < padded; first += static_cast<int>(kTileColumns)) {
    for (int64_t t = 0; t < kTileColumns; t++)
      for (int d = 0; d < kHead; d += 16) {
        Key* to = panel + t * kHead + d;
        if (first + t < rows)
          Kernel::round(keys + (first + t) * kHead + d, factor, to);
        else
          for (int i = 0; i < 16; i++) to[i] = 0;
      }
    Kernel::offsets(panel, offset + first);
    const auto* from = reinterpret_cast<const uint8_t*>(panel);
    uint8_t* to = static_cast<uint8_t*>(packed) + first * kRow;
    for (int64_t half = 0; half < 2; half++)
      for (int64_t at = 0; at < kRow; at += 32)
        transpose_words(from + half * 8 * kRow + at, kRow, to + at * kTileColumns + half * 32);
  }
  return most / Kernel::kMost;
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
template <class Kernel>
void attend(const Int16Block& block) {
  constexpr int kTile = kTileRows;
  const int rows = block.rows, tiled = (rows + kTile - 1) / kTile * kTile, padded = block.padded_keys;
  const int64_t stride = block.stride;
  float factor[Int16Block::kRows], total[Int16Block::kRows];
  auto* q = static_cast<typename Kernel::Query*>(block.q);
  const auto* keys = static_cast<const typename Kernel::Key*>(block.packed_keys);
  for (int r = 0; r < rows; r++) {
    const float* query = block.queries + r * block.q_stride;
    const float most = largest(query, kHead);
    const __m256 f = _mm256_set1_ps(most > 0 ? Kernel::kMost / most : 0.0f);
    for (int d = 0; d < kHead; d += 16) Kernel::round_query(query + d, f, q + r * kHead + d);
    factor[r] = most / Kernel::kMost * block.key_scale * 1.44269504f;
  }
  for (int64_t first = 0; first < padded; first += kTileColumns)
    for (int r = 0; r < tiled; r += kTile)
      Kernel::scores(q + r * kHead, keys + first * kHead, block.key_offset + first,
                     block.scores + r * stride + first, stride);
  for (int r = 0; r < rows; r++)
    total[r] =
        block.log2_weights
            ? softmax<true>(block.scores + r * stride, block.keys, padded, factor[r], block.log2_weights)
            : softmax<false>(block.scores + r * stride, block.keys, padded, factor[r], nullptr);

  const auto* probabilities = reinterpret_cast<const int16_t*>(block.scores);
  alignas(32) int32_t tile[kTileRows * kTileColumns];
  for (int i = 0; i < tiled * kHead; i += 8) _mm256_storeu_ps(block.sums + i, _mm256_setzero_ps());
  for (int first = 0; first < padded; first += kStretch) {
    const int here = padded - first < kStretch ? padded - first : kStretch;
    for (int column = 0; column < kHead; column += 16)
      for (int r = 0; r < tiled; r += kTile) {
        Kernel::values(probabilities + r * stride * 2 + first, stride * 2,
                       block.packed_values + int64_t{column} * padded + first * 16, here, tile);
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
  static const Int16Kernel kernel{pack_keys<Pairs>, attend<Pairs>};
  return kernel;
}

const Int16Kernel* int16_kernel_avx_vnni() {
#if defined(AMANUENSIS_AVX_VNNI)
  static const Int16Kernel kernel{pack_keys<Bytes>, attend<Bytes>};
  return &kernel;
#else
  return nullptr;
#endif
}

}  // namespace amanuensis
