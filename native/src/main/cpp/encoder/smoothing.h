// Makes the encoder's activations easier to quantise (SmoothQuant, Xiao et al. 2022).
#pragma once
#include <vector>

#include "encoder/encoder_weights.h"

namespace amanuensis {

/// f32 weights of one layer, (out, in).
struct LayerTensors {
  Norm attention_norm, mlp_norm;
  std::vector<float> qkv, qkv_bias, out, out_bias, fc1, fc1_bias, fc2, fc2_bias;
};

/// LayerNorm has a few channels that are far larger than all others, and one scale a row has to hold them. So
/// channel i is divided by s[i] (in the norm's gamma and beta) and the weights that read it are multiplied by
/// it, s[i] = sqrt(largest activation / largest weight). The products stay the same. What is large is large
/// whatever is said, so a silent window tells: layer by layer, its f32 residual stream is carried along.
class Smoothing {
 public:
  Smoothing(const EncoderShape& shape, const TensorReader& read);
  /// Changes the norms of the next layer, qkv and fc1.
  void apply(LayerTensors& layer);

 private:
  void attend(const LayerTensors& layer);
  void smooth(Norm& norm, std::vector<float>& weights);
  std::vector<float> product(const std::vector<float>& input, const std::vector<float>& weights, int k) const;

  int state_, heads_, rows_;
  std::vector<float> x_;       // rows x state
  std::vector<float> normed_;  // rows x state
};

}  // namespace amanuensis
