#include "decoder/cross_kv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "decoder/step_kernels.h"
#include "gaussian.h"

namespace amanuensis {
namespace {
constexpr int kHead = 64, kHeads = 2, kState = kHead * kHeads, kFrames = 300;

// One layer of cross-attention over rows of encoder states.
struct CrossAttention {
  explicit CrossAttention(Arithmetic a) : layout(a, 1, kHeads, kFrames) {
    auto w = gaussian(2 * kState * kState, 1);
    for (auto& x : w) x /= std::sqrt(static_cast<float>(kState));
    weights.push_back(pack_linear(a, w, {}, kState, kRunnerRows));
  }
  void fill(AlignedArray<uint8_t>& kv, const std::vector<float>& states, const float* log_weights) {
    CrossKvWriter(layout, weights)
        .write(states.data(), static_cast<int>(states.size()) / kState, log_weights, kv.data());
  }
  std::vector<float> attend(const AlignedArray<uint8_t>& kv, const std::vector<float>& q, int queries) {
    std::vector<float> out(q.size()), scratch(cross_scratch(layout));
    for (int h = 0; h < kHeads; h++)
      cross_attend(layout, kv.data(), 0, h, q.data() + h * kHead, out.data() + h * kHead, kState, queries,
                   nullptr, 0, scratch.data());
    return out;
  }
  CrossKvLayout layout;
  std::vector<LinearWeights> weights;
};

class CrossKv : public testing::TestWithParam<Arithmetic> {};

TEST_P(CrossKv, RowWithTheWeightOfManyStandsForManyEqualRows) {
  CrossAttention c(GetParam());
  auto all = gaussian(kFrames * kState, 2);
  constexpr int kDistinct = 101;  // the last of them fills the rest
  for (int t = kDistinct; t < kFrames; t++)
    std::copy_n(all.begin() + (kDistinct - 1) * kState, kState, all.begin() + t * kState);
  const std::vector<float> few(all.begin(), all.begin() + kDistinct * kState);
  std::vector<float> bias(kDistinct);
  bias.back() = std::log(static_cast<float>(kFrames - kDistinct + 1));
  AlignedArray<uint8_t> many_kv(c.layout.bytes()), few_kv(c.layout.bytes());
  std::memset(few_kv.data(), 0x7f, few_kv.size());  // left-overs of an earlier window
  c.fill(many_kv, all, nullptr);
  c.fill(few_kv, few, bias.data());
  const auto q = gaussian(kState, 3);
  const auto expected = c.attend(many_kv, q, 1), actual = c.attend(few_kv, q, 1);
  for (size_t i = 0; i < q.size(); i++) EXPECT_NEAR(actual[i], expected[i], 2e-4);
}

TEST_P(CrossKv, QueriesThatShareAPassHaveTheBitsOfOneAlone) {
  CrossAttention c(GetParam());
  AlignedArray<uint8_t> kv(c.layout.bytes());
  c.fill(kv, gaussian(kFrames * kState, 4), nullptr);
  constexpr int kQueries = 11;  // passes of 4, 4 and 3
  const auto q = gaussian(kQueries * kState, 5);
  for (int n = 1; n <= kQueries; n++) {
    const auto together = c.attend(kv, std::vector<float>(q.begin(), q.begin() + n * kState), n);
    for (int i = 0; i < n; i++) {
      const std::vector<float> one(q.begin() + i * kState, q.begin() + (i + 1) * kState);
      EXPECT_EQ(c.attend(kv, one, 1),
                std::vector<float>(together.begin() + i * kState, together.begin() + (i + 1) * kState));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, CrossKv, testing::Values(Arithmetic::kF32, Arithmetic::kInt8),
                         [](const auto& p) { return p.param == Arithmetic::kF32 ? "f32" : "int8"; });

TEST(CrossKvInt8, IsNearTheAttentionOfTheExactRows) {
  CrossAttention exact(Arithmetic::kF32), narrow(Arithmetic::kInt8);
  const auto states = gaussian(kFrames * kState, 6);
  auto q = gaussian(kState, 7);
  for (auto& x : q) x /= 8;  // as the projections scale it
  AlignedArray<uint8_t> a(exact.layout.bytes()), b(narrow.layout.bytes());
  exact.fill(a, states, nullptr);
  narrow.fill(b, states, nullptr);
  const auto expected = exact.attend(a, q, 1), actual = narrow.attend(b, q, 1);
  for (size_t i = 0; i < q.size(); i++) EXPECT_NEAR(actual[i], expected[i], 0.01);
}

}  // namespace
}  // namespace amanuensis
