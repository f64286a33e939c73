// The audio encoder. In f32 it is the reference; in int8 the projections and the MLP are int8 (per-row scales
// of activations, per-channel scales of weights), attention and convolutions bf16 where the machine has it
// (f32 otherwise), and the residual stream, LayerNorm and softmax f32.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/cpu/linear.h"
#include "device/gemm_device.h"

namespace amanuensis {

/// Reads a tensor of the model as f32.
using TensorReader = std::function<std::vector<float>(const std::string&)>;

/// Shapes of an audio encoder.
struct EncoderShape {
  int mels, context, state, heads, layers;
};

/// Immutable packed weights, shared by all lanes.
class EncoderWeights;
/// keep_plain: int8 weights are also kept as devices take them.
std::shared_ptr<const EncoderWeights> load_encoder(const EncoderShape& shape, Arithmetic arithmetic,
                                                   const TensorReader& read, bool keep_plain = false);
size_t bytes_of(const EncoderWeights& weights);

/// Scratch memory and kernels of one lane: one window at a time, `threads` workers (OpenMP where > 1).
class Encoder {
 public:
  /// gemm: computes the products of windows that it admits (int8 weights that kept their plain rows only);
  /// null: none. It must outlive the encoder.
  Encoder(std::shared_ptr<const EncoderWeights> weights, int threads, GemmLane* gemm = nullptr);
  ~Encoder();
  /// mel: n_mels rows of 2 * context frames, row_stride floats apart -> states: context x state f32.
  /// block_outputs: null, or layers x context x state f32.
  void encode(const float* mel, int64_t row_stride, float* states, float* block_outputs);

 private:
  struct Lane;
  std::unique_ptr<Lane> lane_;
};
}  // namespace amanuensis
