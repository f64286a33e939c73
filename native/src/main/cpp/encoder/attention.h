// Self-attention of the encoder: all heads of one layer of one window.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "device/cpu/int16_attention.h"
#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"
#include "encoder/kept_rows.h"
#include "encoder/team.h"

namespace amanuensis {

/// kF32 and kBf16 run on oneDNN, block by block of queries; kInt16 (int16_attention.h) is our own for
/// machines with AVX2 or AVX-512 but without AMX, where it is faster than either.
enum class AttentionKind { kF32, kBf16, kInt16 };

class SelfAttention {
 public:
  /// block: rows of queries at a time; it divides the rows of every window.
  SelfAttention(AttentionKind kind, int context, int heads, int block, const Team& team);
  ~SelfAttention();
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

  /// out: rows x state f32.
  void run(float* out);

 private:
  struct Products;   // oneDNN's two matmuls for one number of keys
  struct Workspace;  // of one thread
  size_t offset(int head, int row) const {
    return (static_cast<size_t>(head) * static_cast<size_t>(context_) + static_cast<size_t>(row)) * 64;
  }
  Products& products(Workspace& w);
  template <class T>
  void run_blocks(float* out);
  void run_int16(float* out);

  AttentionKind kind_;
  int context_, heads_, block_;
  const Team& team_;
  const RowKernels& k_;
  KeptRows rows_;
  std::vector<float> log_weights_;           // empty where every row counts once
  AlignedArray<uint8_t> q_, keys_, values_;  // see queries(), key(), value()
  AlignedArray<uint8_t> packed_values_;      // heads x packed_bytes_, for oneDNN
  size_t packed_bytes_ = 0;
  std::vector<Int16Head> packed_heads_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
};

}  // namespace amanuensis
