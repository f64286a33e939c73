#include "encoder/smoothing.h"

#include <algorithm>
#include <cmath>

namespace amanuensis {

namespace {
constexpr int kEvery = 16;  // positions of the window that are looked at
constexpr int kHead = 64;

// y = gelu(W x + b) of a convolution in the middle of frames that are all x. weights: (out, in, 3).
std::vector<float> convolve_alike(const std::vector<float>& weights, std::vector<float> y,
                                  const std::vector<float>& x) {
  for (size_t o = 0; o < y.size(); o++)
    for (size_t i = 0; i < 3 * x.size(); i++) y[o] += weights[o * 3 * x.size() + i] * x[i / 3];
  row_kernels().gelu_f32(y.data(), y.data(), static_cast<int>(y.size()));
  return y;
}

void add(const std::vector<float>& from, const std::vector<float>& bias, std::vector<float>& to) {
  for (size_t i = 0; i < to.size(); i++) to[i] += from[i] + bias[i % bias.size()];
}
}  // namespace

Smoothing::Smoothing(const EncoderShape& s, const TensorReader& read)
    : state_(s.state), heads_(s.heads), rows_(s.context / kEvery) {
  const std::string e = "model.encoder.";
  const std::vector<float> silence(static_cast<size_t>(s.mels));  // as the padding of a window
  const auto hidden = convolve_alike(read(e + "conv1.weight"), read(e + "conv1.bias"), silence);
  const auto alike = convolve_alike(read(e + "conv2.weight"), read(e + "conv2.bias"), hidden);
  const auto positions = read(e + "embed_positions.weight");
  const auto n = static_cast<size_t>(state_);
  x_.resize(static_cast<size_t>(rows_) * n);
  normed_.resize(x_.size());
  for (size_t i = 0; i < x_.size(); i++)
    x_[i] = alike[i % n] + positions[(i / n * kEvery + kEvery / 2) * n + i % n];
}

void Smoothing::apply(LayerTensors& layer) {
  const auto wide = layer.fc1_bias.size();
  smooth(layer.attention_norm, layer.qkv);
  attend(layer);
  smooth(layer.mlp_norm, layer.fc1);
  auto hidden = product(normed_, layer.fc1, state_);
  for (size_t at = 0; at < hidden.size(); at += wide)
    row_kernels().bias_gelu_f32(hidden.data() + at, layer.fc1_bias.data(), hidden.data() + at,
                                static_cast<int>(wide));
  add(product(hidden, layer.fc2, static_cast<int>(wide)), layer.fc2_bias, x_);
}

void Smoothing::attend(const LayerTensors& layer) {
  const RowKernels& k = row_kernels();
  const int64_t apart = 3 * int64_t{state_};
  auto qkv = product(normed_, layer.qkv, state_);
  for (size_t i = 0; i < qkv.size(); i++) qkv[i] += layer.qkv_bias[i % layer.qkv_bias.size()];
  std::vector<float> scores(static_cast<size_t>(rows_)), attended(x_.size());
  for (int r = 0; r < rows_; r++)
    for (int h = 0; h < heads_; h++) {
      const float* keys = qkv.data() + state_ + h * kHead;
      float* out = attended.data() + r * state_ + h * kHead;
      k.key_scores_f32(qkv.data() + r * apart + h * kHead, keys, apart, rows_, scores.data());
      const float inverse = k.softmax_f32(scores.data(), scores.data(), rows_);
      k.add_values_f32(scores.data(), keys + state_, apart, rows_, out);
      for (int d = 0; d < kHead; d++) out[d] *= inverse;
    }
  add(product(attended, layer.out, state_), layer.out_bias, x_);
}

// Leaves the norm's new output in normed_.
void Smoothing::smooth(Norm& norm, std::vector<float>& weights) {
  const auto n = static_cast<size_t>(state_);
  const auto normalise = [&] {
    for (size_t at = 0; at < x_.size(); at += n)
      row_kernels().layer_norm(x_.data() + at, norm.gamma.data(), norm.beta.data(), normed_.data() + at,
                               state_);
  };
  normalise();
  std::vector<float> activation(n), weight(n);
  for (size_t i = 0; i < normed_.size(); i++)
    activation[i % n] = std::max(activation[i % n], std::fabs(normed_[i]));
  for (size_t i = 0; i < weights.size(); i++) weight[i % n] = std::max(weight[i % n], std::fabs(weights[i]));
  for (size_t i = 0; i < n; i++) {
    if (activation[i] == 0 || weight[i] == 0) continue;
    const float s = std::sqrt(activation[i] / weight[i]);
    norm.gamma[i] /= s;
    norm.beta[i] /= s;
    for (size_t at = i; at < weights.size(); at += n) weights[at] *= s;
  }
  normalise();
}

// rows x k times (out, k) -> rows x out.
std::vector<float> Smoothing::product(const std::vector<float>& input, const std::vector<float>& weights,
                                      int k) const {
  const auto out = static_cast<int64_t>(weights.size()) / k;
  using Type = Matmul::Type;
  Matmul matmul(Type::f32, Type::f32, Type::f32, rows_, k, out, k, out);
  AlignedArray<uint8_t> packed(matmul.packed_bytes());
  matmul.pack_rows(weights.data(), packed.data());
  std::vector<float> result(static_cast<size_t>(rows_ * out));
  matmul.run(input.data(), packed.data(), result.data());
  return result;
}

}  // namespace amanuensis
