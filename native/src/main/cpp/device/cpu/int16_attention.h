// Self-attention of one head in int16 on AVX2: q and k in 13 bits, probabilities in 14, v in 12, sums exact
// in int32 and scaled in f32. Twice the rate of f32, and finer than bf16.
#pragma once
#include <cstddef>
#include <cstdint>

#include "device/cpu/memory.h"

namespace amanuensis {

/// Keys and values of one head, packed for int16_attend.
class Int16Head {
 public:
  explicit Int16Head(int most_rows = 0);
  /// keys, values: rows x 64 f32. Keys share one scale, values one for each of the 64 columns.
  void pack(const float* keys, const float* values, int rows);

 private:
  friend class Int16Attention;
  int rows_ = 0, padded_ = 0;     // padded to whole panels of 16
  AlignedArray<int16_t> keys_;    // panels of 16 keys: 32 x 16 x 2 dimensions
  AlignedArray<int16_t> values_;  // 4 panels of 16 columns: padded/2 x 16 x 2 rows
  float key_scale_ = 0;
  float value_scale_[64] = {};
};

/// Scratch for a block of queries; belongs to one thread.
class Int16Attention {
 public:
  static constexpr int kRows = 30;
  explicit Int16Attention(int most_keys);
  /// queries: up to kRows rows of 64 f32, q_stride apart, already divided by sqrt(64) -> out: rows of 64,
  /// out_stride apart. log2_weights: null, or for each key what is added to its score times log2(e). Needs
  /// AVX2.
  void attend(const Int16Head& head, const float* log2_weights, const float* queries, int64_t q_stride,
              int rows, float* out, int64_t out_stride);

 private:
  int64_t stride_;                // of scores
  AlignedArray<int16_t> q_;       // kRows x 64
  AlignedArray<int32_t> scores_;  // kRows x stride; afterwards the probabilities in int16 at each row's start
  AlignedArray<float> sums_;      // kRows x 64
};

}  // namespace amanuensis
