// Cross-attention keys and values of one window, for all decoder layers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/cpu/idle_cores.h"
#include "device/cpu/linear.h"
#include "device/gemm_device.h"

namespace amanuensis {

/// Layout of the caller's buffer: a header of 64 bytes (rows in use), a bias for each row (f32, added to the
/// scores), then per layer and head:
///   f32:  keys [frames][64], values [frames][64]
///   int8: keys [blocks of 16 rows][32 pairs of dimensions][16 rows][2], values [pairs of rows][64][2], key
///         scales and value scales, one f32 per row
/// A row is an encoder state. There may be fewer than frames: a row that stands for w equal ones has the bias
/// log(w), which gives the same attention. In int8, rows beyond those in use, up to a multiple of 16, are
/// zero.
class CrossKvLayout {
 public:
  CrossKvLayout(Arithmetic arithmetic, int layers, int heads, int frames);
  size_t bytes() const { return heads_at_ + head_bytes_ * static_cast<size_t>(layers_ * heads_); }
  Arithmetic arithmetic() const { return arithmetic_; }
  int heads() const { return heads_; }
  int frames() const { return frames_; }
  int padded_frames() const { return padded_; }
  /// Rows in use, and whether any bias differs from zero.
  static int rows(const void* kv) { return static_cast<const Header*>(kv)->rows; }
  static bool weighted(const void* kv) { return static_cast<const Header*>(kv)->weighted != 0; }
  /// One f32 for each of padded_frames() rows.
  static const float* bias(const void* kv) {
    return reinterpret_cast<const float*>(static_cast<const uint8_t*>(kv) + sizeof(Header));
  }
  /// What attention of all heads of one layer reads.
  int64_t bytes_read(const void* kv) const {
    const int64_t row = arithmetic_ == Arithmetic::kInt8 ? 2 * 64 + 2 * 4 : 2 * 64 * 4;
    return row * rows(kv) * heads_;
  }
  /// Sets rows and biases. log_weights: null for zeros, or one for each row.
  void begin(void* kv, int rows, const float* log_weights) const;
  /// Where the parts of one head start, in bytes from the start of the head.
  const uint8_t* head(const void* kv, int layer, int head) const {
    return static_cast<const uint8_t*>(kv) + heads_at_ +
           head_bytes_ * static_cast<size_t>(layer * heads_ + head);
  }
  uint8_t* head(void* kv, int layer, int head) const {
    return const_cast<uint8_t*>(this->head(static_cast<const void*>(kv), layer, head));
  }
  size_t values_at() const { return values_at_; }
  size_t key_scales_at() const { return key_scales_at_; }
  size_t value_scales_at() const { return value_scales_at_; }

 private:
  struct Header {
    int32_t rows, weighted, unused[14];
  };
  Arithmetic arithmetic_;
  int layers_, heads_, frames_, padded_;
  size_t heads_at_, values_at_, key_scales_at_, value_scales_at_, head_bytes_;
};

/// Kernels and scratch with which one thread computes a block of rows, for all weights of one shape.
class CrossKvScratch {
 public:
  explicit CrossKvScratch(const LinearWeights& weights);

 private:
  friend class CrossKvWriter;
  LinearRunner runner_;
  AlignedArray<float> rows_;  // a block x 2 state
};

/// Scratch of the threads that help whichever lane is alone. idle must outlive it.
struct CrossKvHelpers {
  CrossKvHelpers(const LinearWeights& weights, IdleCores& idle);
  IdleCores& cores;
  std::vector<CrossKvScratch> scratch;  // of threads 1, 2, ...
};

/// Computes the buffer from encoder states: on a device, or on the calling thread and whatever helpers find
/// an idle core. The bits are the same.
class CrossKvWriter {
 public:
  /// layout and weights must outlive it. weights: per layer [k; v] stacked on rows (2 state x state).
  /// helpers: for weights of this shape, or null.
  CrossKvWriter(const CrossKvLayout& layout, const std::vector<LinearWeights>& weights,
                std::shared_ptr<CrossKvHelpers> helpers = nullptr);
  /// states: rows x state f32, rows <= frames. log_weights: null, or the bias of each row. Rows that are
  /// audio come first and one by one (alignment reads them as frames). gemm: computes the products if it
  /// admits the window; null: none.
  void write(const float* states, int rows, const float* log_weights, void* kv, GemmLane* gemm = nullptr);

 private:
  void write_on_device(const float* states, int rows, void* kv, GemmLane& gemm);
  void write_here(const float* states, int rows, void* kv);
  void store_row(const float* values, int layer, int row, void* kv) const;
  void clear_padding(int rows, void* kv) const;
  const CrossKvLayout& layout_;
  const std::vector<LinearWeights>& weights_;
  std::shared_ptr<CrossKvHelpers> helpers_;
  CrossKvScratch own_;
  AlignedArray<int8_t> quantised_;  // state
  AlignedArray<int32_t> sums_;      // 2 state
  AlignedArray<float> row_scale_;   // frames
};

/// Attention of up to `queries` rows over one head of one window. q and out: rows `stride` floats apart.
/// qk: null, or for each query null or where its first qk_rows scores before softmax go.
/// scratch: cross_scratch() floats.
void cross_attend(const CrossKvLayout& layout, const void* kv, int layer, int head, const float* q,
                  float* out, int64_t stride, int queries, float* const* qk, int qk_rows, float* scratch);
/// Floats of scratch that cross_attend needs.
size_t cross_scratch(const CrossKvLayout& layout);

}  // namespace amanuensis
