// Cross-attention keys and values of one window, for all decoder layers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/cpu/linear.h"
#include "device/gemm_device.h"

namespace amanuensis {

/// Layout of the caller's buffer, per layer and head:
///   f32:  keys [frames][64] f32, values [frames][64] f32
///   int8: keys [blocks of 16 frames][64][16] int8, values [frames][64] int8, key scales and value scales,
///         one f32 per frame (frames padded to 16)
class CrossKvLayout {
 public:
  CrossKvLayout(Arithmetic arithmetic, int layers, int heads, int frames);
  size_t bytes() const { return head_bytes_ * static_cast<size_t>(layers_ * heads_); }
  Arithmetic arithmetic() const { return arithmetic_; }
  int frames() const { return frames_; }
  int padded_frames() const { return padded_; }
  /// Where the parts of one head start, in bytes from the start of the head.
  const uint8_t* head(const void* kv, int layer, int head) const {
    return static_cast<const uint8_t*>(kv) + head_bytes_ * static_cast<size_t>(layer * heads_ + head);
  }
  uint8_t* head(void* kv, int layer, int head) const {
    return const_cast<uint8_t*>(this->head(static_cast<const void*>(kv), layer, head));
  }
  size_t values_at() const { return values_at_; }
  size_t key_scales_at() const { return key_scales_at_; }
  size_t value_scales_at() const { return value_scales_at_; }

 private:
  Arithmetic arithmetic_;
  int layers_, heads_, frames_, padded_;
  size_t values_at_, key_scales_at_, value_scales_at_, head_bytes_;
};

/// Computes the buffer from encoder states; belongs to one thread (team).
class CrossKvWriter {
 public:
  /// weights: per layer [k; v] stacked on rows (2 state x state).
  CrossKvWriter(const CrossKvLayout& layout, const std::vector<LinearWeights>& weights, int heads);
  /// states: frames x state f32. gemm: computes the products if it admits the window; null: none.
  void write(const float* states, void* kv, GemmLane* gemm = nullptr);

 private:
  void write_on_device(const float* states, void* kv, GemmLane& gemm);
  void store_row(const float* row, int layer, int frame, void* kv) const;
  const CrossKvLayout& layout_;
  const std::vector<LinearWeights>& weights_;
  int heads_;
  LinearRunner runner_;
  AlignedArray<float> rows_;        // kBlock x 2 state
  AlignedArray<int8_t> quantised_;  // state
  AlignedArray<int32_t> sums_;      // 2 state
  AlignedArray<float> row_scale_;   // frames
};

/// One query head: scores over all frames (copied to qk if not null), softmax, weighted sum -> out[64].
/// scratch: padded frames.
void cross_attend(const CrossKvLayout& layout, const uint8_t* head, const float* q, float* scratch, float* qk,
                  float* out);

}  // namespace amanuensis
