#include "encoder/kept_rows.h"

#include <gtest/gtest.h>

#include <cmath>

namespace amanuensis {
namespace {

TEST(KeptRows, StandForEveryPositionOnce) {
  for (int stride : {2, 4, 8, 16})
    for (int multiple : {1, 12, 60, 125})
      for (int content = 0; content <= 3000; content += 37) {
        const KeptRows k = kept_rows({stride, 64}, 1500, content, multiple);
        int positions = 0;
        for (int r = 0; r < k.rows(); r++) {
          EXPECT_GE(k.position(r), positions);
          EXPECT_LT(k.position(r), positions + k.weight(r));
          positions += k.weight(r);
        }
        EXPECT_EQ(positions, 1500);
        EXPECT_EQ(k.rows() % multiple, 0);
        if (!k.all()) {
          EXPECT_GE(k.dense(), content / 2 + 64);
        }
      }
}

TEST(KeptRows, TheLastRowsOfAWindowStandForThemselves) {
  const KeptRows k = kept_rows({6, 24}, 1500, 770, 12);
  EXPECT_EQ(k.weight(k.dense()), 6);
  for (int r = k.rows() - 20; r < k.rows(); r++) EXPECT_EQ(k.position(r), 1500 - (k.rows() - r));
  EXPECT_EQ(k.weight(k.rows() - 22), 3);
}

TEST(KeptRows, WholeWindowsAndStrideOneKeepEveryRow) {
  EXPECT_TRUE(kept_rows({8, 64}, 1500, 3000, 60).all());
  EXPECT_TRUE(kept_rows({1, 0}, 1500, 100, 60).all());
}

TEST(KeptRows, AShortClipKeepsLessThanHalf) { EXPECT_LE(kept_rows({6, 24}, 1500, 770, 12).rows(), 630); }

TEST(KeptRows, WeighAsTheLogarithmOfWhatTheyStandFor) {
  const KeptRows k = kept_rows({8, 64}, 1500, 770, 60);
  std::vector<float> weights;
  k.log_weights(2.0f, weights);
  EXPECT_EQ(weights.size() % 16, 0u);
  EXPECT_EQ(weights[static_cast<size_t>(k.dense() - 1)], 0.0f);
  EXPECT_FLOAT_EQ(weights[static_cast<size_t>(k.dense())], 2 * std::log(8.0f));
}

}  // namespace
}  // namespace amanuensis
