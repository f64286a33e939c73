#include "encoder/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace amanuensis {
namespace {

constexpr int kContext = 240, kHeads = 2, kState = kHeads * 64, kBlock = 60;

std::vector<AttentionKind> kinds() {
  std::vector<AttentionKind> all{AttentionKind::kF32};
  if (&row_kernels() != &row_kernels_generic()) all.push_back(AttentionKind::kInt16);
  if (amx_is_usable()) all.push_back(AttentionKind::kAmx);
  return all;
}

struct Inputs {
  explicit Inputs(unsigned seed) : q(kContext * kState), keys(q.size()), values(q.size()) {
    std::mt19937 g(seed);
    std::normal_distribution<float> d;
    for (auto& x : q) x = 0.4f * d(g);
    for (auto& x : keys) x = 1.5f * d(g);
    for (auto& x : values) x = d(g);
  }
  std::vector<float> q, keys, values;  // context x state each
};

KeptRows two_blocks() { return kept_rows({8, 20}, kContext, 80, kBlock); }

// Scratches that take turns, as those of several threads do.
class Turns {
 public:
  Turns(AttentionKind kind, int n) {
    for (int i = 0; i < n; i++)
      all_.push_back(std::make_unique<AttentionScratch>(kind, kContext, kHeads, kBlock));
  }
  SelfAttention::Each each() {
    return [this](int n, const std::function<void(AttentionScratch&, int)>& work) {
      for (int i = 0; i < n; i++) work(*all_[static_cast<size_t>(i) % all_.size()], i);
    };
  }

 private:
  std::vector<std::unique_ptr<AttentionScratch>> all_;
};

void fill(SelfAttention& attention, const Inputs& in, int rows) {
  for (int h = 0; h < kHeads; h++)
    for (int t = 0; t < rows; t++) {
      const size_t from = static_cast<size_t>(t * kState + h * 64);
      std::copy_n(in.q.data() + from, 64, attention.query(h, t));
      std::copy_n(in.keys.data() + from, 64, attention.key(h, t));
      std::copy_n(in.values.data() + from, 64, attention.value(h, t));
    }
}

std::vector<float> run(AttentionKind kind, const Inputs& in, const KeptRows& rows, int scratches) {
  Turns turns(kind, scratches);
  SelfAttention attention(kind, kContext, kHeads, kBlock);
  attention.begin(rows);
  fill(attention, in, rows.rows());
  std::vector<float> out(static_cast<size_t>(kContext * kState));
  attention.run(turns.each(), out.data());
  return out;
}

// Softmax with every key counted as often as its row stands for positions.
std::vector<double> expected(const Inputs& in, const KeptRows& rows) {
  std::vector<double> out(static_cast<size_t>(kContext * kState));
  for (int h = 0; h < kHeads; h++)
    for (int r = 0; r < rows.rows(); r++) {
      double sum = 0;
      double* o = out.data() + r * kState + h * 64;
      for (int t = 0; t < rows.rows(); t++) {
        double s = 0;
        for (int d = 0; d < 64; d++)
          s += static_cast<double>(in.q[static_cast<size_t>(r * kState + h * 64 + d)]) *
               in.keys[static_cast<size_t>(t * kState + h * 64 + d)];
        const double p = std::exp(s) * rows.weight(t);
        sum += p;
        for (int d = 0; d < 64; d++) o[d] += p * in.values[static_cast<size_t>(t * kState + h * 64 + d)];
      }
      for (int d = 0; d < 64; d++) o[d] /= sum;
    }
  return out;
}

TEST(SelfAttention, IsThatOfTheDefinitionWithWeightedKeys) {
  const Inputs in(1);
  for (const KeptRows& rows :
       {KeptRows::all_of(kContext), kept_rows({10, 0}, kContext, 0, kBlock), two_blocks()}) {
    const auto exact = expected(in, rows);
    for (AttentionKind kind : kinds()) {
      const auto got = run(kind, in, rows, 1);
      double error = 0, size = 0;
      for (int i = 0; i < rows.rows() * kState; i++) {
        const double d = got[static_cast<size_t>(i)] - exact[static_cast<size_t>(i)];
        error += d * d;
        size += exact[static_cast<size_t>(i)] * exact[static_cast<size_t>(i)];
      }
      // Products of bytes cost more here, where scores are large, than in the model (docs/speed.md).
      const bool pairs = kind == AttentionKind::kInt16 && &int16_kernel() == &int16_kernel_avx2();
      const double most = kind == AttentionKind::kF32 ? 1e-5 : pairs ? 1.5e-3 : 3e-2;
      EXPECT_LT(std::sqrt(error / size), most) << rows.rows();
    }
  }
}

TEST(SelfAttention, TheLastBlockMayHaveFewerRows) {
  const Inputs in(4);
  const KeptRows rows = KeptRows::thinned(31, 6, kContext);
  ASSERT_NE(rows.rows() % Int16Attention::kRows, 0);
  ASSERT_NE(rows.rows() % AmxAttention::kRows, 0);
  const auto exact = expected(in, rows);
  for (AttentionKind kind : kinds()) {
    if (kind == AttentionKind::kF32) continue;  // its rows are whole blocks
    const auto got = run(kind, in, rows, 1);
    for (int i = 0; i < rows.rows() * kState; i++)
      ASSERT_NEAR(got[static_cast<size_t>(i)], exact[static_cast<size_t>(i)], 0.15) << i / kState;
  }
}

TEST(SelfAttention, BitsDoNotDependOnScratchesNorOnEarlierWindows) {
  const Inputs in(2);
  const KeptRows few = two_blocks(), all = KeptRows::all_of(kContext);
  for (AttentionKind kind : kinds()) {
    const auto alone = run(kind, in, few, 1);
    EXPECT_EQ(alone, run(kind, in, few, 2));
    Turns turns(kind, 1);
    SelfAttention used(kind, kContext, kHeads, kBlock);
    std::vector<float> out(static_cast<size_t>(kContext * kState));
    used.begin(all);
    fill(used, Inputs(3), kContext);
    used.run(turns.each(), out.data());
    used.begin(few);
    fill(used, in, few.rows());
    used.run(turns.each(), out.data());
    out.resize(static_cast<size_t>(few.rows() * kState));
    EXPECT_EQ(out, std::vector<float>(alone.begin(), alone.begin() + few.rows() * kState));
  }
}

// x as a kernel sees it that divides the largest magnitude of n numbers into so many levels.
std::vector<float> rounded(const float* x, size_t n, float levels) {
  float most = 0;
  for (size_t i = 0; i < n; i++) most = std::max(most, std::fabs(x[i]));
  std::vector<float> y;
  for (size_t i = 0; i < n; i++) y.push_back(std::nearbyint(x[i] * levels / most) * most / levels);
  return y;
}

// Every kernel that this machine runs, over a number of keys that is no multiple of any vector.
TEST(Int16Attention, KernelsDifferFromTheDefinitionByTheRoundingOfProbabilities) {
  if (&row_kernels() == &row_kernels_generic()) GTEST_SKIP() << "needs AVX2";
  constexpr int kKeys = 203;
  const Inputs in(5);
  std::vector<float> keys, values, weights(208);
  for (int t = 0; t < kKeys; t++)
    for (int d = 0; d < 64; d++) {
      keys.push_back(in.keys[static_cast<size_t>(t * kState + d)]);
      values.push_back(in.values[static_cast<size_t>(t * kState + d)]);
    }
  for (int t = 150; t < kKeys; t++) weights[static_cast<size_t>(t)] = 2;
  std::vector<const Int16Kernel*> kernels{&int16_kernel_avx2()};
  if (avx512_vnni_is_native()) kernels.push_back(&int16_kernel_vnni());
  if (avx_vnni_is_native() && int16_kernel_avx_vnni() != nullptr) kernels.push_back(int16_kernel_avx_vnni());
  for (const float* log2_weights :
       {static_cast<const float*>(nullptr), static_cast<const float*>(weights.data())})
    for (const Int16Kernel* kernel : kernels) {
      Int16Head head(kKeys, *kernel);
      head.pack(keys.data(), values.data(), kKeys);
      const float levels = kernel == &int16_kernel_avx2() ? 4095 : 127;
      const auto seen = rounded(keys.data(), keys.size(), levels);
      for (int rows : {1, 7, 30}) {
        std::vector<float> out(30 * 64);
        Int16Attention(kKeys, *kernel).attend(head, log2_weights, in.q.data(), kState, rows, out.data(), 64);
        for (int r = 0; r < rows; r++) {
          double sum = 0, expected[64] = {};
          const auto query = rounded(in.q.data() + r * kState, 64, levels);
          for (int t = 0; t < kKeys; t++) {
            double s = 0;
            for (int d = 0; d < 64; d++)
              s += static_cast<double>(query[static_cast<size_t>(d)]) * seen[static_cast<size_t>(t * 64 + d)];
            const double p = std::exp(s) * (log2_weights ? std::exp2(weights[static_cast<size_t>(t)]) : 1);
            sum += p;
            for (int d = 0; d < 64; d++) expected[d] += p * values[static_cast<size_t>(t * 64 + d)];
          }
          for (int d = 0; d < 64; d++)
            ASSERT_NEAR(out[static_cast<size_t>(r * 64 + d)], expected[d] / sum, 8e-3) << r << " of " << rows;
        }
      }
    }
}

class AmxAttentionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!amx_is_usable()) GTEST_SKIP() << "needs AMX";
  }
  // Compares with the definition over the bytes that the kernel sees. key_scale: how large scores are.
  static void expect_the_definition(int keys, int rows, float key_scale, float key_mean,
                                    const std::vector<float>& weights) {
    std::mt19937 g(7);
    std::normal_distribution<float> d;
    std::vector<float> q(static_cast<size_t>(rows * 64)), k(static_cast<size_t>(keys * 64)), v(k.size());
    for (auto& x : q) x = 0.3f * d(g) + 0.1f;
    for (auto& x : k) x = key_scale * (d(g) + key_mean);
    for (auto& x : v) x = d(g);
    AmxHead head(keys);
    head.pack(k.data(), v.data(), weights.empty() ? nullptr : weights.data(), keys);
    std::vector<float> out(static_cast<size_t>(rows * 128), 7.0f);
    AmxAttention().attend(head, q.data(), rows, out.data(), 128);
    const auto seen_q = rounded(q.data(), q.size(), 127), seen_k = rounded(k.data(), k.size(), 127);
    for (int r = 0; r < rows; r++) {
      std::vector<double> scores;
      for (int t = 0; t < keys; t++) {
        double s = weights.empty() ? 0 : std::log(weights[static_cast<size_t>(t)]);
        for (int i = 0; i < 64; i++)
          s += static_cast<double>(seen_q[static_cast<size_t>(r * 64 + i)]) *
               seen_k[static_cast<size_t>(t * 64 + i)];
        scores.push_back(s);
      }
      const double most = *std::max_element(scores.begin(), scores.end());
      double sum = 0, expected[64] = {};
      for (int t = 0; t < keys; t++) {
        const double p = std::exp(scores[static_cast<size_t>(t)] - most);
        sum += p;
        for (int i = 0; i < 64; i++) expected[i] += p * v[static_cast<size_t>(t * 64 + i)];
      }
      // bf16 values up to 4 and probabilities, each rounded to less than a hundredth.
      for (int i = 0; i < 64; i++)
        ASSERT_NEAR(out[static_cast<size_t>(r * 128 + i)], expected[i] / sum, 0.03)
            << "row " << r << " of " << rows << ", " << keys << " keys times " << key_scale;
      for (int i = 64; i < 128; i++) ASSERT_EQ(out[static_cast<size_t>(r * 128 + i)], 7.0f);
    }
  }
};

TEST_F(AmxAttentionTest, IsThatOfTheDefinitionForAnyNumberOfKeysAndRows) {
  for (int keys : {1, 31, 32, 33, 64, 203, 1500})
    for (int rows : {1, 17, 32}) expect_the_definition(keys, rows, 1, 0, {});
}

TEST_F(AmxAttentionTest, AKeyWithAWeightCountsAsOftenAsThatManyEqualOnes) {
  std::vector<float> weights(203, 1);
  for (size_t t = 100; t < weights.size(); t++) weights[t] = t % 2 ? 6 : 3;
  expect_the_definition(203, 32, 1, 0, weights);
}

TEST_F(AmxAttentionTest, ScoresBeyondTheRangeOfBf16AreTakenFromTheLargest) {
  expect_the_definition(203, 32, 15, 0, {});  // from -150 to 150
  expect_the_definition(203, 20, 8, -3, {});  // nearly all far below zero: padding would be larger
}

TEST_F(AmxAttentionTest, EqualScoresShareEvenly) {
  std::vector<float> zeros(64 * 64), ones(64 * 64, 1.0f), out(64);
  AmxHead head(64);
  head.pack(zeros.data(), ones.data(), nullptr, 64);
  AmxAttention().attend(head, zeros.data(), 1, out.data(), 64);
  for (float x : out) EXPECT_FLOAT_EQ(x, 1.0f);
}

}  // namespace
}  // namespace amanuensis
