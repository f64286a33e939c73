#include "encoder/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace amanuensis {
namespace {

constexpr int kContext = 240, kHeads = 2, kState = kHeads * 64, kBlock = 60;

// Runnable kinds; bf16 needs a machine that has it.
std::vector<AttentionKind> kinds() {
  std::vector<AttentionKind> all{AttentionKind::kF32};
  if (&row_kernels() != &row_kernels_generic()) all.push_back(AttentionKind::kInt16);
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

std::vector<float> run(AttentionKind kind, const Inputs& in, const KeptRows& rows, int scratches) {
  Turns turns(kind, scratches);
  SelfAttention attention(kind, kContext, kHeads, kBlock);
  attention.begin(rows);
  std::copy(in.q.begin(), in.q.end(), attention.queries<float>());
  for (int h = 0; h < kHeads; h++)
    for (int t = 0; t < rows.rows(); t++) {
      const size_t from = static_cast<size_t>(t * kState + h * 64);
      std::copy_n(in.keys.data() + from, 64, attention.key<float>(h, t));
      std::copy_n(in.values.data() + from, 64, attention.value<float>(h, t));
    }
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
      const double most = kind == AttentionKind::kF32               ? 1e-5
                          : &int16_kernel() == &int16_kernel_avx2() ? 1.5e-3
                                                                    : 3e-2;
      EXPECT_LT(std::sqrt(error / size), most) << rows.rows();
    }
  }
}

TEST(SelfAttention, TheLastBlockMayHaveFewerRows) {
  if (&row_kernels() == &row_kernels_generic()) GTEST_SKIP() << "needs AVX2";
  const Inputs in(4);
  const KeptRows rows = KeptRows::thinned(31, 6, kContext);
  ASSERT_NE(rows.rows() % Int16Attention::kRows, 0);
  const auto exact = expected(in, rows);
  const auto got = run(AttentionKind::kInt16, in, rows, 1);
  for (int i = 0; i < rows.rows() * kState; i++)
    ASSERT_NEAR(got[static_cast<size_t>(i)], exact[static_cast<size_t>(i)], 0.15) << i / kState;
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
    const auto fill = [&](unsigned seed) {
      const Inputs other(seed);
      std::copy(other.q.begin(), other.q.end(), used.queries<float>());
      for (int h = 0; h < kHeads; h++)
        for (int t = 0; t < kContext; t++) {
          const size_t from = static_cast<size_t>(t * kState + h * 64);
          std::copy_n(other.keys.data() + from, 64, used.key<float>(h, t));
          std::copy_n(other.values.data() + from, 64, used.value<float>(h, t));
        }
    };
    fill(3);
    used.run(turns.each(), out.data());
    used.begin(few);
    fill(2);
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

}  // namespace
}  // namespace amanuensis
