// Products that are computed elsewhere leave the bits of a window as they are.
#include "device/gemm_device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "decoder/cross_kv.h"
#include "device/plain_gemm.h"
#include "encoder/encoder.h"

namespace amanuensis {
namespace {

// A device that is the contract and nothing else.
class PlainLane : public GemmLane {
 public:
  bool begin_window(Part) override { return true; }
  void end_window() noexcept override {}
  void begin(const LinearWeights& w, int rows) override {
    w_ = &w;
    a_.assign(static_cast<size_t>(rows * w.k), 0);
    c_.resize(static_cast<size_t>(rows * w.n));
    rows_ = rows;
  }
  void put(int row, const int8_t* values) override {
    std::memcpy(a_.data() + row * w_->k, values, static_cast<size_t>(w_->k));
  }
  void run() override {
    plain_gemm(a_.data(), rows_, w_->plain.data(), w_->n, w_->k, c_.data());
    if (damage) c_[c_.size() / 2] += 1 << 20;
    products++;
  }
  const int32_t* sums(int row, int32_t*) override { return c_.data() + row * w_->n; }
  void finish() override {}
  int products = 0;
  bool damage = false;

 private:
  const LinearWeights* w_ = nullptr;
  int rows_ = 0;
  std::vector<int8_t> a_;
  std::vector<int32_t> c_;
};

constexpr int kState = 128;
constexpr EncoderShape kShape{80, 1500, kState, 2, 2};

std::vector<float> tensor(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  const bool matrix = has(".weight") && !has("norm");
  size_t n = kState;
  if (has("conv1.weight"))
    n = kState * 80 * 3;
  else if (has("conv2.weight"))
    n = kState * kState * 3;
  else if (has("positions"))
    n = 1500 * kState;
  else if (matrix)
    n = kState * kState * (has("fc") ? 4 : 1);
  else if (has("fc1"))
    n = 4 * kState;
  std::mt19937 random(static_cast<unsigned>(std::hash<std::string>()(name)));
  std::normal_distribution<float> normal(0, matrix ? 0.1f : 0.5f);
  std::vector<float> values(n);
  for (auto& v : values) v = normal(random);
  return values;
}

// threads: more than one are the lane's own and helpers on idle cores.
std::vector<float> encode(GemmLane* lane, int threads) {
  std::vector<float> mel(80 * 3000), states(1500 * kState);
  for (size_t i = 0; i < mel.size(); i++) mel[i] = std::sin(static_cast<float>(i) * 0.37f);
  EncoderOptions options;
  options.arithmetic = Arithmetic::kInt8;
  options.keep_plain = true;
  const auto weights = load_encoder(kShape, options, tensor);
  CoreLoad load(threads);
  const CoreLoad::Share share(load);
  IdleCores cores(load, threads);
  Encoder encoder(weights, threads == 1 ? nullptr : encoder_helpers(*weights, cores), lane);
  encoder.encode(mel.data(), 3000, 3000, states.data(), nullptr);
  return states;
}

TEST(GemmDevice, EncoderStatesHaveTheSameBitsWhenProductsAreComputedElsewhere) {
  PlainLane lane;
  const auto here = encode(nullptr, 1);
  EXPECT_EQ(here, encode(&lane, 1));
  EXPECT_EQ(8, lane.products) << "four products a layer";
  EXPECT_EQ(here, encode(&lane, 3)) << "with helpers";
  EXPECT_EQ(here, encode(nullptr, 3)) << "with helpers, without a device";
}

TEST(GemmDevice, OneWrongSumChangesTheStates) {
  PlainLane lane;
  lane.damage = true;
  EXPECT_NE(encode(nullptr, 1), encode(&lane, 1)) << "the device's sums are what is used";
}

TEST(GemmDevice, CrossAttentionHasTheSameBitsWhenProductsAreComputedElsewhere) {
  std::vector<LinearWeights> weights;
  std::vector<float> matrix(128 * 64), states(1500 * 64);
  for (size_t i = 0; i < matrix.size(); i++) matrix[i] = std::sin(static_cast<float>(i));
  for (size_t i = 0; i < states.size(); i++) states[i] = std::cos(static_cast<float>(i) * 0.11f);
  weights.push_back(pack_linear(Arithmetic::kInt8, matrix, {}, 64, kRunnerRows, true));
  const CrossKvLayout layout(Arithmetic::kInt8, 1, 1, 1500);
  AlignedArray<uint8_t> here(layout.bytes()), there(layout.bytes());
  std::memset(here.data(), 0, here.size());
  std::memset(there.data(), 0, there.size());
  CrossKvWriter writer(layout, weights);
  writer.write(states.data(), 1500, nullptr, here.data());
  PlainLane lane;
  writer.write(states.data(), 1500, nullptr, there.data(), &lane);
  EXPECT_EQ(1, lane.products);
  EXPECT_EQ(0, std::memcmp(here.data(), there.data(), here.size()));

  CoreLoad load(3);
  const CoreLoad::Share share(load);
  IdleCores cores(load, 3);
  std::memset(there.data(), 0, there.size());
  CrossKvWriter(layout, weights, std::make_shared<CrossKvHelpers>(weights.front(), cores))
      .write(states.data(), 1500, nullptr, there.data());
  EXPECT_EQ(0, std::memcmp(here.data(), there.data(), here.size())) << "with helpers";
}

TEST(PlainGemm, IsExactForOddSizesAndExtremes) {
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {3, 5, 17}, {18, 9, 33}, {16, 64, 512}}) {
    std::vector<int8_t> a(static_cast<size_t>(m * k)), w(static_cast<size_t>(n * k));
    std::mt19937 random(7);
    const auto value = [&] {
      return static_cast<int8_t>(random() % 3 == 0 ? 127 : random() % 2 ? -127 : random() % 200 - 100);
    };
    for (auto& v : a) v = value();
    for (auto& v : w) v = value();
    std::vector<int32_t> c(static_cast<size_t>(m * n));
    plain_gemm(a.data(), m, w.data(), n, k, c.data());
    for (int r = 0; r < m; r++)
      for (int j = 0; j < n; j++) {
        int64_t sum = 0;
        for (int i = 0; i < k; i++)
          sum += int64_t{a[static_cast<size_t>(r * k + i)]} * w[static_cast<size_t>(j * k + i)];
        ASSERT_EQ(sum, c[static_cast<size_t>(r * n + j)]) << m << "x" << n << "x" << k;
      }
  }
}

TEST(RowCheck, AcceptsRightSumsAndSeesEverySingleWrongOne) {
  constexpr int n = 96, k = 64;
  std::vector<int8_t> a(k), w(n * k);
  for (int i = 0; i < k; i++) a[static_cast<size_t>(i)] = static_cast<int8_t>(i % 2 ? 127 : -127);
  for (int i = 0; i < n * k; i++) w[static_cast<size_t>(i)] = static_cast<int8_t>(i * 31 % 255 - 127);
  std::vector<int32_t> c(n);
  plain_gemm(a.data(), 1, w.data(), n, k, c.data());
  const RowCheck check(w.data(), n, k, 42);
  const uint32_t expected = check.expected(a.data());
  EXPECT_TRUE(check.agrees(c.data(), expected));
  for (int j = 0; j < n; j++)
    for (int bit = 0; bit < 31; bit++) {
      c[static_cast<size_t>(j)] ^= 1 << bit;
      EXPECT_FALSE(check.agrees(c.data(), expected)) << "sum " << j << ", bit " << bit;
      c[static_cast<size_t>(j)] ^= 1 << bit;
    }
}

}  // namespace
}  // namespace amanuensis
