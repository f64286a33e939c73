#include "decoder/choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

namespace amanuensis {
namespace {

struct Choosing {
  Choosing() : logits(static_cast<size_t>(tokens.vocabulary)) {
    std::mt19937 g(8);
    std::normal_distribution<float> d;
    for (auto& x : logits) x = std::round(4 * d(g)) / 4;  // with ties
    sequence.sample_begin = 0;
  }
  am_step_result choose(am_step step) {
    auto copy = logits;
    am_step_result result{};
    choose_token(step, sequence, sequence.length(), tokens, copy.data(), result);
    return result;
  }
  const SpecialTokens tokens{51865, 50257, 50364, 50363};
  std::vector<float> logits;
  Sequence sequence;
};

TEST(Choice, CandidatesAreTheLargestTiesByLowerId) {
  Choosing c;
  am_step step{};
  step.top_k = AM_MAX_TOP_K;
  const am_step_result result = c.choose(step);
  std::vector<int> ids(c.logits.size());
  for (size_t i = 0; i < ids.size(); i++) ids[i] = static_cast<int>(i);
  std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) {
    return c.logits[static_cast<size_t>(a)] > c.logits[static_cast<size_t>(b)];
  });
  double sum = 0;
  for (float x : c.logits) sum += std::exp(double{x});
  ASSERT_EQ(result.n_top, AM_MAX_TOP_K);
  EXPECT_EQ(result.token, ids[0]);
  for (int i = 0; i < result.n_top; i++) {
    const auto at = static_cast<size_t>(ids[static_cast<size_t>(i)]);
    EXPECT_EQ(result.top_tokens[i], ids[static_cast<size_t>(i)]);
    EXPECT_NEAR(result.top_logprobs[i], c.logits[at] - std::log(sum), 1e-4);
  }
  EXPECT_EQ(result.margin, c.logits[static_cast<size_t>(ids[0])] - c.logits[static_cast<size_t>(ids[1])]);
}

TEST(Choice, SampleIsTheInverseOfTheCumulativeDistribution) {
  Choosing c;
  const auto suppressed = std::make_shared<std::vector<int>>(std::vector<int>{0, 7, 51864});
  c.sequence.suppress = suppressed;
  std::vector<double> cumulative;
  double sum = 0;
  for (size_t i = 0; i < c.logits.size(); i++) {
    const bool masked = i == 0 || i == 7 || i == 51864;
    sum += masked ? 0 : std::exp(c.logits[i] / 0.8);
    cumulative.push_back(sum);
  }
  for (double uniform : {0.0, 0.1, 0.5, 0.77, 0.999999}) {
    am_step step{};
    step.temperature = 0.8f;
    step.uniform = uniform;
    const am_step_result result = c.choose(step);
    const auto token = static_cast<size_t>(result.token);
    EXPECT_EQ(std::count(suppressed->begin(), suppressed->end(), result.token), 0);
    EXPECT_LE(cumulative[token - 1] / sum, uniform + 1e-6);
    EXPECT_GE(cumulative[token] / sum, uniform - 1e-6);
    am_step greedy{};
    greedy.top_k = 1;
    const am_step_result best = c.choose(greedy);
    EXPECT_NEAR(result.logprob - best.logprob, c.logits[token] - c.logits[static_cast<size_t>(best.token)],
                1e-4);
  }
}

}  // namespace
}  // namespace amanuensis
