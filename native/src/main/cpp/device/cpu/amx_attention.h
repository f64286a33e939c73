// Self-attention of one head on AMX: scores from bytes, probabilities and values in bf16, sums in f32. The
// softmax is integer arithmetic on the scores, done while the tiles multiply.
#pragma once
#include <cstddef>
#include <cstdint>

#include "device/cpu/memory.h"

namespace amanuensis {

/// A head as the kernels read it. Keys go in steps of 32, the last one filled up with zeros.
struct AmxHeadView {
  int rows, padded;
  int8_t* keys;       // a step: two tiles of [64 / 4][16 keys][4], of the even and of the odd keys
  uint16_t* values;   // bf16; two halves of 32 columns; a step: two tiles of [32 / 2 keys][16 columns][2]
  uint16_t* weights;  // bf16, zero beyond the rows
  float key_scale;
  float longest_key;  // the largest norm
};

/// A block of queries on its way through one head.
struct AmxBlock {
  static constexpr int kRows = 32;
  static constexpr int kStep = 32;   // keys
  static constexpr int kChunk = 64;  // keys whose probabilities wait for their values

  // Scratch.
  int8_t* q;                // kRows x 64
  int32_t* scores;          // 2 x kRows x kStep
  uint16_t* probabilities;  // 2 x kChunk / kStep x kRows x kStep
  float* sums;              // two halves of the columns, two tiles of rows, two of columns
  // What comes and goes.
  const float* queries;  // rows of 64 f32
  int rows;
  float* out;
  int64_t out_stride;
};

/// Null if the build's compiler and assembler did not know AMX. They need AMX (int8, bf16), AVX-512 VBMI and
/// AVX-512 BF16.
struct AmxAttentionKernel {
  /// keys, values: rows x 64 f32; weights: null or one for each row. Sets the scale and the longest key.
  void (*pack)(AmxHeadView& head, const float* keys, const float* values, const float* weights);
  void (*attend)(const AmxHeadView& head, const AmxBlock& block);
};
const AmxAttentionKernel* amx_attention_kernel();
void pack_amx_head(AmxHeadView& head, const float* keys, const float* values,
                   const float* weights);  // its pack

/// Keys and values of one head, packed for AmxAttention.
class AmxHead {
 public:
  explicit AmxHead(int most_rows);
  /// keys, values: rows x 64 f32. Keys share one scale. weights: null, or for each row how many equal ones it
  /// stands for.
  void pack(const float* keys, const float* values, const float* weights, int rows);

 private:
  friend class AmxAttention;
  AlignedArray<int8_t> keys_;
  AlignedArray<uint16_t> values_, weights_;
  AmxHeadView view_{};
};

/// Scratch for a block of queries; belongs to one thread.
class AmxAttention {
 public:
  static constexpr int kRows = AmxBlock::kRows;
  AmxAttention();
  /// queries: up to kRows rows of 64 f32, already divided by sqrt(64) -> out: rows of 64, out_stride apart.
  void attend(const AmxHead& head, const float* queries, int rows, float* out, int64_t out_stride);

 private:
  AlignedArray<int8_t> q_;
  AlignedArray<int32_t> scores_;
  AlignedArray<uint16_t> probabilities_;
  AlignedArray<float> sums_;
};

}  // namespace amanuensis
