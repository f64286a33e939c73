#include "mel/log_mel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace amanuensis {
namespace {

// maximum() leaves out frames that can't hold the maximum; the maximum over one frame at a time leaves out
// none.
TEST(LogMel, MaximumIsThatOfEveryFrameAlone) {
  const LogMel mel(80);
  std::mt19937 g(1);
  std::normal_distribution<float> d;
  for (float loud : {0.0f, 1.0f, 300.0f, 8000.0f}) {
    std::vector<int16_t> pcm(16000);
    for (size_t i = 0; i < pcm.size(); i++) {
      const float swell = i < 6000 ? 0.1f : i < 6500 ? 1.0f : 0.4f;
      pcm[i] = static_cast<int16_t>(std::clamp(loud * swell * d(g), -32000.0f, 32000.0f));
    }
    const auto samples = static_cast<int64_t>(pcm.size());
    float expected = -10;
    for (int64_t f = 0; f < 103; f++) expected = std::max(expected, mel.maximum(pcm.data(), samples, f, 1));
    EXPECT_EQ(mel.maximum(pcm.data(), samples, 0, 103), expected) << loud;
  }
}

// A pure tone puts all its energy into one filter: the case nearest to the bound that frames are left out by.
TEST(LogMel, MaximumIsRightForTones) {
  const LogMel mel(80);
  for (double hertz : {60.0, 440.0, 1000.0, 3900.0, 7900.0}) {
    std::vector<int16_t> pcm(16000);
    for (size_t i = 0; i < pcm.size(); i++)
      pcm[i] = static_cast<int16_t>((i < 8000 ? 9000 : 12000) *
                                    std::sin(2 * 3.14159265358979 * hertz * i / 16000));
    float expected = -10;
    for (int64_t f = 0; f < 100; f++) expected = std::max(expected, mel.maximum(pcm.data(), 16000, f, 1));
    EXPECT_EQ(mel.maximum(pcm.data(), 16000, 0, 100), expected) << hertz;
  }
}

}  // namespace
}  // namespace amanuensis
