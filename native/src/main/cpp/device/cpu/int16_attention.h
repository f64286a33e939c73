// Self-attention of one head in integers: probabilities in 14 bits, v in 12, q and k in 13 (AVX2) or 8 (VNNI,
// which multiplies bytes at twice the rate; of all int8 products of the encoder these cost least accuracy:
// docs/speed.md), sums exact in int32 and scaled in f32. At least twice the rate of f32.
#pragma once
#include <cstddef>
#include <cstdint>

#include "device/cpu/memory.h"

namespace amanuensis {

/// A block of queries on its way through one head, as the kernels of each instruction set take it.
struct Int16Block {
  static constexpr int kRows = 30;         // at most; a multiple of every kernel's tile
  static constexpr int kValueMost = 2047;  // kStretch products: 128 * 8192 * 2047 < 2^31
  static constexpr int kStretch = 128;     // keys whose values are summed in int32
  static constexpr int kLogMost = 13;      // probabilities reach 2^13

  // The head, as Int16Head holds it.
  int keys, padded_keys;
  const void* packed_keys;
  const int32_t* key_offset;
  const int16_t* packed_values;
  float key_scale;
  const float* value_scale;
  const float* log2_weights;  // null, or for each key what is added to its score times log2(e)
  // Scratch.
  void* q;          // kRows x 64 int16 or bytes
  int32_t* scores;  // kRows x stride; afterwards the probabilities in int16 at each row's start
  int64_t stride;
  float* sums;  // kRows x 64
  // What comes and goes: rows of 64 f32.
  const float* queries;
  int64_t q_stride;
  int rows;
  float* out;
  int64_t out_stride;
};

/// The kernels of an instruction set, with their layout of keys.
struct Int16Kernel {
  /// keys: rows x 64 f32 -> packed (at most `padded` x 64 int16; panels of 16 keys) and offset (padded).
  /// Returns the scale of what it packed.
  float (*pack_keys)(const float* keys, int rows, int padded, void* packed, int32_t* offset);
  void (*attend)(const Int16Block& block);
};
const Int16Kernel& int16_kernel_avx2();
/// Needs AVX-VNNI, which has the instructions for 256-bit registers; null if the assembler of the build did
/// not know them.
const Int16Kernel* int16_kernel_avx_vnni();
/// Needs AVX-512 VNNI (VL, BW, DQ).
const Int16Kernel& int16_kernel_vnni();
/// The widest this machine runs.
const Int16Kernel& int16_kernel();

/// Keys and values of one head, packed for Int16Attention with the same kernel.
class Int16Head {
 public:
  explicit Int16Head(int most_rows = 0, const Int16Kernel& kernel = int16_kernel());
  /// keys, values: rows x 64 f32. Keys share one scale, values one for each of the 64 columns. Needs AVX2.
  void pack(const float* keys, const float* values, int rows);

 private:
  friend class Int16Attention;
  void pack_values(const float* values, int rows);
  const Int16Kernel* kernel_;
  int rows_ = 0, padded_ = 0;     // padded to whole panels of 16
  AlignedArray<uint8_t> keys_;    // as the kernel packs them
  AlignedArray<int32_t> offset_;  // what each key's scores begin with
  AlignedArray<int16_t> values_;  // 4 panels of 16 columns: padded/2 x 16 x 2 rows
  float key_scale_ = 0;
  float value_scale_[64] = {};
};

/// Scratch for a block of queries; belongs to one thread.
class Int16Attention {
 public:
  static constexpr int kRows = Int16Block::kRows;
  explicit Int16Attention(int most_keys, const Int16Kernel& kernel = int16_kernel());
  /// queries: up to kRows rows of 64 f32, q_stride apart, already divided by sqrt(64) -> out: rows of 64,
  /// out_stride apart. log2_weights: null, or for each key what is added to its score times log2(e). Needs
  /// AVX2.
  void attend(const Int16Head& head, const float* log2_weights, const float* queries, int64_t q_stride,
              int rows, float* out, int64_t out_stride);

 private:
  const Int16Kernel& kernel_;
  int64_t stride_;  // of scores
  AlignedArray<int16_t> q_;
  AlignedArray<int32_t> scores_;
  AlignedArray<float> sums_;
};

}  // namespace amanuensis
