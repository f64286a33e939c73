#include "align/alignment.h"

#include <gtest/gtest.h>

namespace amanuensis {
namespace {

TEST(Dtw, FollowsTheCheapDiagonal) {
  const std::vector<double> cost{0, 9, 9, 9, 0, 9, 9, 9, 0};
  EXPECT_EQ(dtw_row_starts(cost, 3, 3), (std::vector<int32_t>{0, 1, 2}));
}

TEST(Dtw, StaysInARowWhileItIsCheap) {
  const std::vector<double> cost{0, 0, 0, 9, 9, 9, 9, 9, 0, 0};
  EXPECT_EQ(dtw_row_starts(cost, 2, 5), (std::vector<int32_t>{0, 3}));
}

TEST(Dtw, OneColumnHoldsAllRows) {
  EXPECT_EQ(dtw_row_starts({1, 1, 1}, 3, 1), (std::vector<int32_t>{0, 0, 0}));
}

// Equal predecessors: neither diagonal nor up is strictly smaller, so the path goes left.
TEST(Dtw, TiesGoLeft) { EXPECT_EQ(dtw_row_starts({0, 0, 0, 0}, 2, 2), (std::vector<int32_t>{0, 0})); }

TEST(Alignment, TokensStartWhereTheirAttentionIs) {
  constexpr int kTokens = 4, kFrames = 40;
  std::vector<float> qk(kTokens * kFrames, 0.0f);
  for (int t = 0; t < kTokens; t++)
    for (int f = 10 * t; f < 10 * t + 10; f++) qk[static_cast<size_t>(t * kFrames + f)] = 10;
  const auto starts = align_tokens(qk.data(), 1, kTokens, kFrames, kFrames, 0, kTokens);
  ASSERT_EQ(starts.size(), 4u);
  for (int t = 0; t < kTokens; t++) EXPECT_NEAR(starts[static_cast<size_t>(t)], 10 * t, 1);
}

}  // namespace
}  // namespace amanuensis
