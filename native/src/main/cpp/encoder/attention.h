// Self-attention of the encoder: all heads of one layer of one window.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "device/cpu/int16_attention.h"
#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"
#include "encoder/kept_rows.h"

namespace amanuensis {

/// kF32 and kBf16 run on oneDNN, block by block of queries; kInt16 (int16_attention.h) is our own for
/// machines with AVX2 or AVX-512 but without AMX, where it is faster than either.
enum class AttentionKind { kF32, kBf16, kInt16 };

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
  AttentionKind kind_;
  int context_, heads_, block_;
  std::map<int, std::unique_ptr<Products>> products_;  // by number of keys; made when first needed
  AlignedArray<float> scores_;                         // block x context
  AlignedArray<uint8_t> probabilities_;                // block x context of bf16 or f32
  AlignedArray<float> inverse_;                        // block
  std::unique_ptr<Int16Attention> int16_;
};

class SelfAttention {
 public:
  /// Calls the function for each i in [0, n), each call with a scratch that nobody else uses meanwhile.
  using Each = std::function<void(int n, const std::function<void(AttentionScratch&, int i)>&)>;

  SelfAttention(AttentionKind kind, int context, int heads, int block);
  /// Chooses the rows of the window that the next calls are about.
  void begin(const KeptRows& rows);

  /// Where the projections put their results, as elements of T (uint16_t for bf16, float otherwise):
  /// q: context x state, divided by sqrt(64); keys, values: heads x context x 64.
  template <class T>
  T* queries() {
    return reinterpret_cast<T*>(q_.data());
  }
  template <class T>
  T* key(int head, int row) {
    return reinterpret_cast<T*>(keys_.data()) + offset(head, row);
  }
  template <class T>
  T* value(int head, int row) {
    return reinterpret_cast<T*>(values_.data()) + offset(head, row);
  }

  /// out: rows x state f32. each: with scratches made for the same kind, context, heads and block.
  void run(const Each& each, float* out);

 private:
  size_t offset(int head, int row) const {
    return (static_cast<size_t>(head) * static_cast<size_t>(context_) + static_cast<size_t>(row)) * 64;
  }
  template <class T>
  void run_blocks(const Each& each, float* out);
  void run_int16(const Each& each, float* out);

  AttentionKind kind_;
  int context_, heads_, block_;
  const RowKernels& k_;
  KeptRows rows_;
  std::vector<float> log_weights_;           // empty where every row counts once
  AlignedArray<uint8_t> q_, keys_, values_;  // see queries(), key(), value()
  AlignedArray<uint8_t> packed_values_;      // heads x head_bytes_, for oneDNN
  size_t head_bytes_ = 0;                    // of packed_values_
  std::vector<Int16Head> packed_heads_;
};

}  // namespace amanuensis
