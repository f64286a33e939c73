#include "decoder/step_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "gaussian.h"
#include "model/half.h"

namespace amanuensis {
namespace {

// Those that this machine can enter.
std::vector<const StepKernels*> runnable() {
  std::vector<const StepKernels*> all{&step_kernels_generic()};
  if (&row_kernels() != &row_kernels_generic()) all.push_back(&step_kernels_avx2());
  if (&row_kernels() == &row_kernels_avx512()) all.push_back(&step_kernels_avx512());
  if (avx_vnni_is_native()) all.push_back(&step_kernels_avx_vnni());
  if (avx512_vnni_is_native()) all.push_back(&step_kernels_vnni());
  return all;
}

// int8 extremes overflow sums of int16, so a kernel that saturates can't pass.
TEST(StepKernels, LinearIsExactAtTheExtremesAndTheSameForAnyNumberOfRows) {
  constexpr int kK = 2048, kN = 85, kRows = 19, kPadded = 96;
  std::mt19937 g(1);
  std::vector<float> a(kRows * kK);
  std::vector<int8_t> w(kPadded * kK);
  for (auto& x : a) x = g() % 2 == 0 ? 127 : -127;
  for (size_t i = 0; i < w.size(); i++) w[i] = i / kK < kN ? (g() % 2 == 0 ? 127 : -127) : 0;
  const std::vector<float> ones(kPadded, 1.0f), zeros(kPadded), row_scale(kRows, 1.0f);
  for (const auto* k : runnable()) {
    std::vector<int8_t> packed(w.size());
    std::vector<int32_t> offset(kPadded);
    const int depth = k->depth;
    for (int o = 0; o < kPadded; o++)
      for (int i = 0; i < kK; i++) {
        const int8_t weight = w[static_cast<size_t>(o * kK + i)];
        packed[static_cast<size_t>(o / 16 * 16 * kK + i / depth * 16 * depth + o % 16 * depth + i % depth)] =
            weight;
        offset[static_cast<size_t>(o)] -= 128 * weight;
      }
    std::vector<int16_t> inputs(kRows * kK);  // bytes where depth is 4
    for (int r = 0; r < kRows; r++)
      ASSERT_EQ(k->quantise_inputs(a.data() + r * kK,
                                   reinterpret_cast<uint8_t*>(inputs.data()) + r * kK * 4 / depth, kK),
                1.0f);
    for (int rows = 1; rows <= kRows; rows++) {
      std::vector<float> y(kRows * kN, 1.0f);
      k->linear(inputs.data(), row_scale.data(), rows, kK, packed.data(), offset.data(), ones.data(),
                zeros.data(), 0, kN, y.data(), kN, true);
      for (int r = 0; r < kRows; r++)
        for (int o = 0; o < kN; o++) {
          int32_t sum = 1;
          for (int i = 0; i < kK && r < rows; i++)
            sum +=
                static_cast<int32_t>(a[static_cast<size_t>(r * kK + i)]) * w[static_cast<size_t>(o * kK + i)];
          ASSERT_EQ(y[static_cast<size_t>(r * kN + o)], static_cast<float>(sum))
              << r << " of " << rows << ", " << o;
        }
    }
  }
}

TEST(StepKernels, HalfPrecisionGoesThereAndBackAsTheStandardSays) {
  const std::vector<float> x{0.0f,          -0.0f,    1.0f,    -2.5f,       65504.0f,   6.1035156e-5f,
                             5.9604645e-8f, 0.1f,     1e-9f,   0.33325195f, 1.0004883f, 2049.0f,
                             -1e-6f,        3.14159f, 100.06f, -7.0f};
  for (const auto* k : runnable()) {
    std::vector<uint16_t> h(16);
    std::vector<float> y(16);
    k->to_f16(x.data(), h.data(), 16);
    std::transform(h.begin(), h.end(), y.begin(), from_half);
    EXPECT_EQ(h[2], 0x3c00);
    EXPECT_EQ(h[3], 0xc100);
    EXPECT_EQ(h[4], 0x7bff);
    EXPECT_EQ(h[6], 0x0001);
    EXPECT_EQ(h[10], 0x3c00);  // half way between two: to even
    EXPECT_EQ(h[11], 0x6800);
    for (size_t i = 0; i < x.size(); i++)
      EXPECT_NEAR(y[i], x[i], std::max(std::fabs(x[i]) / 2048, 3e-8f)) << x[i];
    std::vector<uint16_t> again(16);
    k->to_f16(y.data(), again.data(), 16);
    EXPECT_EQ(again, h);
  }
}

TEST(StepKernels, HalfPrecisionAttentionIsThatOfTheWidenedNumbers) {
  constexpr int kLength = 37;
  const auto keys = gaussian(kLength * 64, 2), q = gaussian(64, 3);
  for (const auto* k : runnable()) {
    std::vector<uint16_t> half(keys.size());
    std::vector<float> wide(keys.size()), scores(kLength), out(64, 0.5f);
    k->to_f16(keys.data(), half.data(), static_cast<int>(keys.size()));
    std::transform(half.begin(), half.end(), wide.begin(), from_half);
    k->key_scores_f16(q.data(), 64, 1, half.data(), kLength, scores.data(), kLength);
    k->add_values_f16(scores.data(), kLength, 1, half.data(), kLength, out.data(), 64);
    std::vector<double> expected(64, 0.5);
    for (int t = 0; t < kLength; t++) {
      double score = 0;
      for (int i = 0; i < 64; i++)
        score += double{q[static_cast<size_t>(i)]} * wide[static_cast<size_t>(t * 64 + i)];
      EXPECT_NEAR(scores[static_cast<size_t>(t)], score, 1e-4);
      for (int i = 0; i < 64; i++)
        expected[static_cast<size_t>(i)] += score * wide[static_cast<size_t>(t * 64 + i)];
    }
    for (size_t i = 0; i < 64; i++) EXPECT_NEAR(out[i], expected[i], 1e-3);
  }
}

TEST(StepKernels, HalfPrecisionAttentionOfOneQueryHasTheSameBitsAmongOthers) {
  constexpr int kLength = 37, kApart = 3 * 64, kScores = 48;
  const auto keys = gaussian(kLength * 64, 2), q = gaussian(4 * kApart, 3);
  for (const auto* k : runnable()) {
    std::vector<uint16_t> half(keys.size());
    k->to_f16(keys.data(), half.data(), static_cast<int>(keys.size()));
    for (int queries = 2; queries <= StepKernels::kMostQueries; queries++) {
      std::vector<float> scores(static_cast<size_t>(queries * kScores)), alone(kLength);
      std::vector<float> out(static_cast<size_t>(queries * kApart)), own(64);
      k->key_scores_f16(q.data(), kApart, queries, half.data(), kLength, scores.data(), kScores);
      k->add_values_f16(scores.data(), kScores, queries, half.data(), kLength, out.data(), kApart);
      for (int i = 0; i < queries; i++) {
        std::fill(own.begin(), own.end(), 0.0f);
        k->key_scores_f16(q.data() + i * kApart, 64, 1, half.data(), kLength, alone.data(), kLength);
        k->add_values_f16(alone.data(), kLength, 1, half.data(), kLength, own.data(), 64);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), scores.begin() + i * kScores));
        EXPECT_TRUE(std::equal(own.begin(), own.end(), out.begin() + i * kApart));
      }
    }
  }
}

TEST(StepKernels, MedianOfSevenIsThatOfTheSortedWindow) {
  for (const auto* k : runnable())
    for (int n : {1, 5, 8, 16, 29}) {
      const auto x = gaussian(static_cast<size_t>(n + 6), 4);
      std::vector<float> y(static_cast<size_t>(n));
      k->median_of_seven(x.data(), y.data(), n);
      for (int i = 0; i < n; i++) {
        std::vector<float> window(x.begin() + i, x.begin() + i + 7);
        std::sort(window.begin(), window.end());
        EXPECT_EQ(y[static_cast<size_t>(i)], window[3]);
      }
    }
}

}  // namespace
}  // namespace amanuensis
