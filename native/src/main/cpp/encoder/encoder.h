// The audio encoder. In f32 it is the reference. In int8 the projections, the MLP and the second convolution
// are int8 (per-row scales of activations, per-channel scales of weights), attention integers with AVX2 or
// VNNI, bytes and bf16 with AMX, f32 otherwise, the first convolution bf16 or f32, and the residual stream
// and LayerNorm f32.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "device/cpu/idle_cores.h"
#include "device/cpu/linear.h"
#include "device/gemm_device.h"
#include "encoder/kept_rows.h"
#include "model/tensor_reader.h"

namespace amanuensis {

/// Shapes of an audio encoder.
struct EncoderShape {
  int mels, context, state, heads, layers;
};

struct EncoderOptions {
  Arithmetic arithmetic = Arithmetic::kF32;  // of the projections and the MLP
  bool exact_attention = false;              // int8 only: attention and convolutions in f32 nevertheless
  bool keep_plain = false;                   // int8 weights are also kept as devices take them
  PaddingPolicy padding;
};

/// Immutable packed weights, shared by all lanes.
class EncoderWeights;
std::shared_ptr<const EncoderWeights> load_encoder(const EncoderShape& shape, const EncoderOptions& options,
                                                   const TensorReader& read);
size_t bytes_of(const EncoderWeights& weights);

/// Seconds of a part, and how many of them this process spent in matrix products on all threads: the part's
/// own where nothing else computes.
struct EncoderTime {
  double seconds = 0, products = 0;
};

/// What the last window spent in each part.
struct EncoderTimes {
  EncoderTime convolutions, qkv, attention, mlp, final_norm;
};

/// What helps any one of a model's lanes at a time. cores must outlive it.
struct EncoderHelpers;
std::shared_ptr<EncoderHelpers> encoder_helpers(const EncoderWeights& weights, IdleCores& cores);

/// Scratch memory and kernels of one lane: one window at a time, on the calling thread.
class Encoder {
 public:
  /// helpers: of the same weights; null for none. gemm: computes the products of windows that it admits (int8
  /// weights that kept their plain rows only); null: none. It must outlive the encoder.
  explicit Encoder(std::shared_ptr<const EncoderWeights> weights,
                   std::shared_ptr<EncoderHelpers> helpers = nullptr, GemmLane* gemm = nullptr);
  ~Encoder();
  /// The rows that encode() computes for a window with this much audio.
  KeptRows rows(int content_frames) const;
  /// mel: n_mels rows of 2 * context frames, row_stride floats apart; frames from content_frames on are all
  /// alike -> states: rows x state f32. block_outputs: null, or layers x rows x state f32.
  void encode(const float* mel, int64_t row_stride, int content_frames, float* states, float* block_outputs);
  const EncoderTimes& times() const;

 private:
  struct Lane;
  std::unique_ptr<Lane> lane_;
};
}  // namespace amanuensis
