// Self-attention of the encoder: all heads of one layer of one window.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "device/cpu/amx_attention.h"
#include "device/cpu/int16_attention.h"
#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"
#include "encoder/kept_rows.h"

namespace amanuensis {

/// kF32 runs on oneDNN, block by block of queries. Faster are our own: kInt16 (int16_attention.h) on AVX2 or
/// AVX-512, kAmx (amx_attention.h) on AMX.
enum class AttentionKind { kF32, kInt16, kAmx };
/// The fastest that this machine and this build have.
AttentionKind fastest_attention();

/// What one thread needs for a block of queries, whatever the window.
class AttentionScratch {
 public:
  /// block: rows of queries at a time on oneDNN, where it divides the rows of every window.
  AttentionScratch(AttentionKind kind, int context, int heads, int block);
  ~AttentionScratch();

 private:
  friend class SelfAttention;
  struct Products;  // oneDNN's two matmuls for one number of keys
  Products& products(int keys);
  int context_, state_, block_;
  std::map<int, std::unique_ptr<Products>> products_;  // by number of keys; made when first needed
  AlignedArray<float> scores_;                         // block x context
  AlignedArray<float> probabilities_;                  // block x context
  AlignedArray<float> inverse_;                        // block
  std::unique_ptr<Int16Attention> int16_;
  std::unique_ptr<AmxAttention> amx_;
};

class SelfAttention {
 public:
  /// Calls the function for each i in [0, n), each call with a scratch that nobody else uses meanwhile.
  using Each = std::function<void(int n, const std::function<void(AttentionScratch&, int i)>&)>;

  SelfAttention(AttentionKind kind, int context, int heads, int block);
  /// Chooses the rows of the window that the next calls are about.
  void begin(const KeptRows& rows);

  /// Where the projections put their results, 64 f32 each: q divided by sqrt(64), k and v.
  float* query(int head, int row) { return q_.data() + offset(head, row); }
  float* key(int head, int row) { return keys_.data() + offset(head, row); }
  float* value(int head, int row) { return values_.data() + offset(head, row); }

  /// out: rows x state f32. each: with scratches made for the same kind, context, heads and block.
  void run(const Each& each, float* out);

 private:
  size_t offset(int head, int row) const {
    return (static_cast<size_t>(head) * static_cast<size_t>(context_) + static_cast<size_t>(row)) * 64;
  }
  void run_f32(const Each& each, float* out);
  void run_int16(const Each& each, float* out);
  void run_amx(const Each& each, float* out);

  AttentionKind kind_;
  int context_, heads_, block_;
  const RowKernels& k_;
  KeptRows rows_;
  // Empty where every row counts once; otherwise, of each row, what it stands for: for kAmx that number, for
  // the others its logarithm.
  std::vector<float> weights_;
  AlignedArray<float> q_, keys_, values_;  // heads x context x 64
  AlignedArray<uint8_t> packed_values_;    // heads x head_bytes_, for oneDNN
  size_t head_bytes_ = 0;                  // of packed_values_
  std::vector<Int16Head> int16_heads_;
  std::vector<AmxHead> amx_heads_;
};

}  // namespace amanuensis
