#include "decoder/logit_filters.h"

#include <gtest/gtest.h>

#include <cmath>

namespace amanuensis {
namespace {

// 300 text tokens, eot 300, no_timestamps 301, timestamps from 302 on.
constexpr SpecialTokens kTokens{352, 300, 302, 301};

struct Filtered {
  explicit Filtered(const std::vector<int>& sampled, int max_initial = -1) : logits(352, 0.0f) {
    sequence.timestamps = true;
    sequence.max_initial_timestamp = max_initial;
    sequence.sample_begin = 1;
    sequence.tokens = {7};
    sequence.tokens.insert(sequence.tokens.end(), sampled.begin(), sampled.end());
    logits[10] = 50;   // text wins over all timestamps together
    logits[300] = 40;  // and so does the end
    apply_filters(sequence, sequence.length(), kTokens, logits.data());
  }
  bool allowed(int id) const { return logits[static_cast<size_t>(id)] > -INFINITY; }
  Sequence sequence;
  std::vector<float> logits;
};

TEST(TimestampRules, FirstTokenIsATimestampWithinTheLimit) {
  const Filtered f({}, 5);
  EXPECT_FALSE(f.allowed(10));
  EXPECT_FALSE(f.allowed(301));
  EXPECT_TRUE(f.allowed(302));
  EXPECT_TRUE(f.allowed(307));
  EXPECT_FALSE(f.allowed(308));
}

TEST(TimestampRules, TextFollowsAnOpeningTimestamp) {
  const Filtered f({302});
  EXPECT_TRUE(f.allowed(10));
  EXPECT_FALSE(f.allowed(303));
}

TEST(TimestampRules, ClosingTimestampIsFollowedByOneOrTheEnd) {
  const Filtered f({302, 10, 305});
  EXPECT_FALSE(f.allowed(10));
  EXPECT_TRUE(f.allowed(300));
  EXPECT_FALSE(f.allowed(304));
  EXPECT_TRUE(f.allowed(305));
}

TEST(TimestampRules, SegmentsHaveALength) {
  const Filtered f({304, 10});
  EXPECT_FALSE(f.allowed(304));
  EXPECT_TRUE(f.allowed(305));
}

TEST(TimestampRules, TimestampsWinIfTogetherTheyAreLikelier) {
  Filtered f({302, 11});
  f.logits.assign(352, 0.0f);
  f.logits[10] = 2;  // less than log(49)
  apply_filters(f.sequence, f.sequence.length(), kTokens, f.logits.data());
  EXPECT_FALSE(f.allowed(10));
  EXPECT_TRUE(f.allowed(310));
}

TEST(SuppressBlank, OnlyAtTheStart) {
  Sequence s;
  s.suppress_blank = true;
  s.sample_begin = 1;
  s.tokens = {7};
  std::vector<float> logits(352, 0.0f);
  apply_filters(s, s.length(), kTokens, logits.data());
  EXPECT_EQ(logits[220], -INFINITY);
  EXPECT_EQ(logits[300], -INFINITY);
  s.tokens.push_back(10);
  logits.assign(352, 0.0f);
  apply_filters(s, s.length(), kTokens, logits.data());
  EXPECT_EQ(logits[220], 0.0f);
}

}  // namespace
}  // namespace amanuensis
