#include "device/cpu/amx_attention.h"

// As in int16_attention_avx2.cpp, nothing here may be the copy of a template that the linker keeps.
#if defined(AMANUENSIS_AMX)
#include "device/cpu/amx.inl"
#include "device/cpu/amx_vectors.inl"

namespace amanuensis {

namespace {
constexpr int kRows = AmxBlock::kRows, kStep = AmxBlock::kStep;
constexpr float kLog2E = 1.44269504f;
// A bf16 number taken as an integer is nearly 128 times its logarithm to the base of 2, 127 higher: scores
// become probabilities in these units, with the fraction's bits from a table.
constexpr int kOne = 127 * 128;
// Probabilities need no common maximum as long as none leaves the range of bf16 nor, 24 bits below the
// largest, falls out of it.
constexpr float kMostLog2 = 100;

// How a block's scores, as the tiles sum them, become probabilities: ((start + score) >> shift) * factor /
// 2^16 - less + more are units of bf16.
struct Softmax {
  // What the sums begin with, so that none is negative: for each query 16 times the same.
  alignas(64) int32_t start[kRows][16];
  alignas(64) float total[kRows][16];  // sums of the probabilities
  int shift, factor;
  int less, more;  // subtracted first, and below zero is zero
};

// 7 bits of 2^f - 1 for f in steps of 1/128.
struct MantissaTable {
  MantissaTable() {
    for (int i = 0; i < 128; i++)
      bytes[i] = static_cast<uint8_t>(__builtin_lrint((__builtin_exp2(i / 128.0) - 1) * 128));
  }
  alignas(64) uint8_t bytes[128];
};

// kExact: the start was chosen by each row's largest score, and what is too far below becomes zero. Otherwise
// no score of the block can leave the range of bf16.
template <bool kExact>
class Kernel {
 public:
  Kernel(const AmxHeadView& head, const AmxBlock& block, Softmax& softmax)
      : h_(head), b_(block), s_(softmax) {}

  // Scores of a step, probabilities of the one before and weighted values of the chunk before that take
  // turns row by row, so that tiles and vectors work at the same time: the core looks ahead some 20 rows.
  void run() {
    constexpr int kSteps = AmxBlock::kChunk / kStep;
    const Constants c(s_);
    const int steps = h_.padded / kStep;
    turn<true, false, false>(c, 0, 0);
    turn<true, false, false>(c, 0, 1);
    for (int step = 0; step < steps; step++) {
      if (step % kSteps == 0 && step > 0) begin_values(step - kSteps, kSteps);
      for (int odd = 0; odd < 2; odd++)
        if (step + 1 < steps)
          left_ > 0 ? turn<true, true, true>(c, step + 1, odd) : turn<true, true, false>(c, step + 1, odd);
        else
          left_ > 0 ? turn<false, true, true>(c, step + 1, odd) : turn<false, true, false>(c, step + 1, odd);
    }
    const int last = (steps - 1) / kSteps * kSteps;
    finish_values();
    begin_values(last, steps - last);
    finish_values();
  }

 private:
  // What stays in registers: with tiles to load, the core's two loads a cycle are what is scarce.
  struct Constants {
    explicit Constants(const Softmax& s)
        : down(_mm512_set1_epi32(s.shift)),
          up(_mm512_set1_epi32(16 - s.shift)),
          factor(_mm512_set1_epi16(static_cast<int16_t>(s.factor))),
          less(_mm512_set1_epi16(static_cast<int16_t>(s.less))),
          more(_mm512_set1_epi16(static_cast<int16_t>(s.more))) {
      static const MantissaTable table;
      low = _mm512_load_si512(table.bytes);
      high = _mm512_load_si512(table.bytes + 64);
    }
    __m512i down, up, factor, less, more, low, high;
  };

  // A step's share of the weighted values: half of the columns.
  struct Values {
    const uint16_t *probabilities, *values;
    float* sums;
  };
  // What turns scores of a step into probabilities.
  struct Rows {
    const int32_t* scores;
    uint16_t* probabilities;
    float* total;
    __m512bh weights;
  };

  int32_t* scores(int step) const { return b_.scores + (step & 1) * kRows * kStep; }
  uint16_t* probabilities(int step) const {
    return b_.probabilities + step % (2 * AmxBlock::kChunk / kStep) * kRows * kStep;
  }

  // Scores of half of the keys of a step, probabilities of half of the rows of the step before, values of
  // a step of the chunk before. Tiles 0 to 3 are the values' sums, 6 and 7 the scores.
  template <bool kScores, bool kProbabilities, bool kValues>
  inline __attribute__((always_inline)) void turn(const Constants c, int step, int odd) {
    const int8_t *keys = h_.keys + int64_t{step * 2 + odd} * kByteTile, *q = b_.q;
    int32_t* to = scores(step) + odd * 16;
    const int32_t* start = s_.start[0];
    const Values v = kValues ? next_values() : Values{};
    Rows rows{};
    if constexpr (kProbabilities)
      rows = {scores(step - 1) + odd * 16 * kStep, probabilities(step - 1) + odd * 16 * kStep,
              s_.total[odd * 16],
              reinterpret_cast<__m512bh>(_mm512_load_si512(h_.weights + (step - 1) * kStep))};
    const auto row = [&](int r) __attribute__((always_inline)) {
      if constexpr (kProbabilities) exponentials(c, rows, r);
    };
    if constexpr (kScores) load_tile<5>(keys);
    row(0);
    if constexpr (kScores) load_tile<6>(start);
    row(1);
    if constexpr (kScores) load_tile<4>(q), add_byte_tiles<6, 4, 5>();
    row(2);
    if constexpr (kScores) load_tile<7>(start + kWordTile);
    row(3);
    if constexpr (kScores) load_tile<4>(q + kByteTile), add_byte_tiles<7, 4, 5>();
    row(4);
    if constexpr (kValues) load_tile<4>(v.probabilities);
    row(5);
    if constexpr (kValues) load_tile<5>(v.values), add_half_tiles<0, 4, 5>();
    row(6);
    row(7);
    if constexpr (kValues) load_tile<4>(v.probabilities + kHalfTile), add_half_tiles<2, 4, 5>();
    row(8);
    row(9);
    if constexpr (kScores) store_tile<6>(to, kStep * 4);
    row(10);
    if constexpr (kValues) load_tile<5>(v.values + kHalfTile), add_half_tiles<3, 4, 5>();
    row(11);
    row(12);
    if constexpr (kScores) store_tile<7>(to + kTileRows * kStep, kStep * 4);
    row(13);
    if constexpr (kValues) load_tile<4>(v.probabilities), add_half_tiles<1, 4, 5>();
    row(14);
    row(15);
    if constexpr (kValues)
      if (left_ % steps_ == 0) store_sums(v.sums);
  }

  // A row of a step's scores -> probabilities.
  static inline __attribute__((always_inline)) void exponentials(const Constants& c, const Rows& rows,
                                                                 int r) {
    constexpr __mmask64 kLowBytes = 0x5555555555555555;
    constexpr __mmask32 kOddWords = 0xAAAAAAAA;
    __m512i even = _mm512_load_si512(rows.scores + r * kStep);
    __m512i odd = _mm512_load_si512(rows.scores + r * kStep + 16);
    if constexpr (kExact) {
      even = _mm512_max_epi32(even, _mm512_setzero_si512());
      odd = _mm512_max_epi32(odd, _mm512_setzero_si512());
    }
    __m512i x =
        _mm512_mask_blend_epi16(kOddWords, _mm512_srlv_epi32(even, c.down), _mm512_sllv_epi32(odd, c.up));
    x = _mm512_mulhi_epu16(x, c.factor);
    if constexpr (kExact) x = _mm512_subs_epu16(x, c.less);
    x = _mm512_add_epi16(x, c.more);
    const __m512i mantissa = _mm512_mask2_permutex2var_epi8(c.low, x, kLowBytes, c.high);
    x = _mm512_ternarylogic_epi32(mantissa, x, _mm512_set1_epi16(0x80), 0xF8);  // mantissa | (x & 0x80)
    _mm512_store_si512(rows.probabilities + r * kStep, x);
    float* total = rows.total + r * 16;
    _mm512_store_ps(total,
                    _mm512_dpbf16_ps(_mm512_load_ps(total), reinterpret_cast<__m512bh>(x), rows.weights));
  }

  // The values of `steps` steps from `first` on come next, first for one half of the columns.
  void begin_values(int first, int steps) {
    finish_values();
    first_ = first;
    steps_ = steps;
    left_ = 2 * steps;
  }
  void finish_values() {
    while (left_ > 0) turn<false, false, true>(Constants(s_), 0, 0);
  }
  Values next_values() {
    const int half = left_ <= steps_, step = first_ + (half ? steps_ : 2 * steps_) - left_;
    float* sums = b_.sums + half * 4 * kWordTile;
    if (left_-- % steps_ == 0) load_sums(sums);
    return {probabilities(step), h_.values + int64_t{half} * h_.padded * 32 + int64_t{step} * 2 * kHalfTile,
            sums};
  }
  void load_sums(const float* sums) {
    const int64_t stride = first_ == 0 ? 0 : kTileBytes;
    const auto at = [&](int i) -> const void* {
      return first_ == 0 ? static_cast<const void*>(kZeroRow) : sums + i * kWordTile;
    };
    load_tile<0>(at(0), stride);
    load_tile<1>(at(1), stride);
    load_tile<2>(at(2), stride);
    load_tile<3>(at(3), stride);
  }
  void store_sums(float* sums) {
    store_tile<0>(sums);
    store_tile<1>(sums + kWordTile);
    store_tile<2>(sums + 2 * kWordTile);
    store_tile<3>(sums + 3 * kWordTile);
  }

  const AmxHeadView& h_;
  const AmxBlock& b_;
  Softmax& s_;
  int first_ = 0, steps_ = 1, left_ = 0;  // of the values; left_ counts both halves
};

// A block's queries in bytes, with one scale.
struct Queries {
  float factor;  // of a score in bytes: units of bf16
  float bound;   // of all scores in bytes
};

Queries quantise(const AmxHeadView& head, const AmxBlock& block) {
  constexpr float kRounded = 4;  // the most that rounding to bytes adds to the norm of 64
  const Extent extent = extent_of(block.queries, block.rows);
  const float scale = byte_scale(extent);
  for (int r = 0; r < block.rows; r++)
    put_bytes(block.queries + r * kHead, _mm512_set1_ps(scale), block.q + r * kHead);
  __builtin_memset(block.q + block.rows * kHead, 0, static_cast<size_t>((kRows - block.rows) * kHead));
  const float key = head.key_scale > 0 ? head.longest_key / head.key_scale + kRounded : 0;
  return {extent.largest / kByteMost * head.key_scale * kLog2E * 128,
          (extent.longest * scale + kRounded) * key};
}

// The largest score in bytes of each query.
void largest_scores(const AmxHeadView& head, const AmxBlock& block, int32_t* most) {
  __m512i lanes[kRows];
  for (auto& lane : lanes) lane = _mm512_set1_epi32(INT32_MIN);
  for (int tile = 0; tile < head.padded / kTileRows; tile++) {
    load_tile<5>(head.keys + int64_t{tile} * kByteTile);
    load_tile<6>(kZeroRow, 0);
    load_tile<7>(kZeroRow, 0);
    load_tile<4>(block.q);
    add_byte_tiles<6, 4, 5>();
    load_tile<4>(block.q + kByteTile);
    add_byte_tiles<7, 4, 5>();
    store_tile<6>(block.scores);
    store_tile<7>(block.scores + kWordTile);
    const int odd = tile % 2, keys = (head.rows - tile / 2 * kStep - odd + 1) / 2;
    const auto mask = static_cast<__mmask16>(keys >= 16 ? 0xffff : (1 << (keys > 0 ? keys : 0)) - 1);
    for (int r = 0; r < kRows; r++)
      lanes[r] =
          _mm512_mask_max_epi32(lanes[r], mask, lanes[r], _mm512_load_si512(block.scores + r * kTileRows));
  }
  for (int r = 0; r < kRows; r++) most[r] = _mm512_reduce_max_epi32(lanes[r]);
}

int floor_log2(float x) {
  int exponent;
  __builtin_frexpf(x, &exponent);
  return exponent - 1;
}
int within(int low, int x, int high) { return x < low ? low : x > high ? high : x; }

void set_factor(const Queries& q, Softmax& s) {
  const float factor = q.factor * static_cast<float>(int64_t{1} << (16 + s.shift));
  s.factor = factor < 65535 ? static_cast<int>(factor) : 65535;
}

// Scores are offset by 2^15, shifted, so that half a factor stands for zero. False if that can't hold them.
bool choose_by_bound(const Queries& q, Softmax& s) {
  s.shift = within(0, floor_log2(q.bound) - 14, 16);
  if (q.bound * q.factor > kMostLog2 * 128 || q.factor * static_cast<float>(1 << s.shift) >= 1) return false;
  set_factor(q, s);
  s.less = 0;
  s.more = kOne - s.factor / 2;
  const __m512i start = _mm512_set1_epi32(static_cast<int>(uint32_t{1} << (15 + s.shift)));
  for (auto& row : s.start) _mm512_store_si512(row, start);
  return true;
}

// Each query's largest score becomes 2^16 - 1, shifted.
void choose_by_largest(const AmxHeadView& head, const AmxBlock& block, const Queries& q, Softmax& s) {
  int32_t most[kRows];
  largest_scores(head, block, most);
  // Scores of thousands, whose step is more than a unit, are taken for smaller ones.
  s.shift = within(0, -1 - floor_log2(q.factor), 13);
  set_factor(q, s);
  s.less = s.factor > kOne ? s.factor - kOne : 0;
  s.more = s.factor > kOne ? 0 : kOne - s.factor;
  for (int r = 0; r < kRows; r++)
    _mm512_store_si512(s.start[r], _mm512_set1_epi32((65535 << s.shift) - most[r]));
}

void attend(const AmxHeadView& head, const AmxBlock& block) {
  const TileUse tiles;
  Softmax softmax;
  for (auto& row : softmax.total) _mm512_store_ps(row, _mm512_setzero_ps());
  const Queries q = quantise(head, block);
  if (choose_by_bound(q, softmax)) {
    Kernel<false>(head, block, softmax).run();
  } else {
    choose_by_largest(head, block, q, softmax);
    Kernel<true>(head, block, softmax).run();
  }
  for (int r = 0; r < block.rows; r++) {
    const __m512 scale = _mm512_set1_ps(1.0f / _mm512_reduce_add_ps(_mm512_load_ps(softmax.total[r])));
    const float* from = block.sums + r / kTileRows * 2 * kWordTile + r % kTileRows * 16;
    float* to = block.out + r * block.out_stride;
    for (int g = 0; g < 4; g++)
      _mm512_storeu_ps(
          to + g * 16,
          _mm512_mul_ps(_mm512_load_ps(from + g / 2 * 4 * kWordTile + g % 2 * kWordTile), scale));
  }
}

}  // namespace

const AmxAttentionKernel* amx_attention_kernel() {
  static const AmxAttentionKernel kernel{pack_amx_head, attend};
  return &kernel;
}

}  // namespace amanuensis
#else
namespace amanuensis {
const AmxAttentionKernel* amx_attention_kernel() { return nullptr; }
}  // namespace amanuensis
#endif
