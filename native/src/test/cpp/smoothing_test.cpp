#include "encoder/smoothing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gaussian.h"

namespace amanuensis {
namespace {

constexpr int kState = 64, kMels = 80, kContext = 64, kWide = 4 * kState;

std::vector<float> read(const std::string& name) {
  const bool positions = name.find("positions") != std::string::npos,
             bias = name.find("bias") != std::string::npos;
  if (positions) return gaussian(static_cast<size_t>(kContext * kState), 1, 1);
  if (bias) return gaussian(kState, 2, 0.1f);
  return gaussian(
      static_cast<size_t>(kState * 3 * (name.find("conv1") != std::string::npos ? kMels : kState)), 3, 0.05f);
}

Norm norm_with_a_large_channel() {
  std::vector<float> gamma(kState, 1.0f);
  gamma[5] = 40;
  return {AlignedArray<float>(gamma), AlignedArray<float>(gaussian(kState, 4, 0.1f))};
}

LayerTensors layer() {
  LayerTensors t;
  t.attention_norm = norm_with_a_large_channel();
  t.mlp_norm = norm_with_a_large_channel();
  const auto weights = [](int out, int in, unsigned seed) {
    return gaussian(static_cast<size_t>(out * in), seed, 0.05f);
  };
  t.qkv = weights(3 * kState, kState, 5);
  t.out = weights(kState, kState, 6);
  t.fc1 = weights(kWide, kState, 7);
  t.fc2 = weights(kState, kWide, 8);
  t.qkv_bias.resize(3 * kState);
  t.out_bias.resize(kState);
  t.fc1_bias.resize(kWide);
  t.fc2_bias.resize(kState);
  return t;
}

// The norm of x, and its products with the weights.
struct Projected {
  std::vector<float> normed, products;
};
Projected project(const std::vector<float>& x, const Norm& norm, const std::vector<float>& weights) {
  Projected p;
  p.normed.resize(kState);
  row_kernels().layer_norm(x.data(), norm.gamma.data(), norm.beta.data(), p.normed.data(), kState);
  for (size_t at = 0; at < weights.size(); at += kState) {
    double sum = 0;
    for (size_t i = 0; i < kState; i++) sum += static_cast<double>(p.normed[i]) * weights[at + i];
    p.products.push_back(static_cast<float>(sum));
  }
  return p;
}

float peak(const std::vector<float>& v) {
  float most = 0, squares = 0;
  for (float x : v) {
    most = std::max(most, std::fabs(x));
    squares += x * x;
  }
  return most / std::sqrt(squares / static_cast<float>(v.size()));
}

TEST(Smoothing, KeepsTheProductsAndLevelsTheActivations) {
  LayerTensors smooth = layer();
  const LayerTensors plain = layer();
  Smoothing({kMels, kContext, kState, 1, 1}, read).apply(smooth);
  const auto x = gaussian(kState, 9, 2);
  const auto compare = [&](const Norm& before, const std::vector<float>& w, const Norm& after,
                           const std::vector<float>& smoothed) {
    const Projected expected = project(x, before, w), got = project(x, after, smoothed);
    for (size_t i = 0; i < expected.products.size(); i++)
      EXPECT_NEAR(got.products[i], expected.products[i], 1e-4);
    EXPECT_LT(peak(got.normed), 0.7f * peak(expected.normed));
  };
  compare(plain.attention_norm, plain.qkv, smooth.attention_norm, smooth.qkv);
  compare(plain.mlp_norm, plain.fc1, smooth.mlp_norm, smooth.fc1);
  EXPECT_EQ(plain.out, smooth.out);
  EXPECT_EQ(plain.fc2, smooth.fc2);
}

}  // namespace
}  // namespace amanuensis
