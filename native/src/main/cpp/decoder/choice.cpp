#include "decoder/choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "decoder/step_kernels.h"
#include "device/cpu/kernels.h"

namespace amanuensis {

namespace {
constexpr int kBlock = 512;       // logits that are summed up by one number
constexpr int kMostBlocks = 128;  // vocabularies have at most 51866 tokens

// The largest of each block of logits: what is sought is then found in a few of the blocks.
class Peaks {
 public:
  Peaks(const float* logits, int n) : logits_(logits), n_(n), blocks_((n + kBlock - 1) / kBlock) {
    for (int b = 0; b < blocks_; b++)
      peaks_[static_cast<size_t>(b)] = step_kernels().maximum(logits + b * kBlock, end(b) - b * kBlock);
  }

  /// The lowest id of the largest.
  int best() const {
    const int block =
        static_cast<int>(std::max_element(begin(peaks_), begin(peaks_) + blocks_) - begin(peaks_));
    return static_cast<int>(std::max_element(logits_ + block * kBlock, logits_ + end(block)) - logits_);
  }
  /// The largest but for `best`.
  float second(int best) const {
    float second = -std::numeric_limits<float>::infinity();
    for (int b = 0; b < blocks_; b++)
      if (b != best / kBlock) second = std::max(second, peaks_[static_cast<size_t>(b)]);
    for (int i = best / kBlock * kBlock; i < end(best / kBlock); i++)
      if (i != best) second = std::max(second, logits_[i]);
    return second;
  }
  /// The k largest, descending, ties by lower id. No one of them is below the k-th largest peak.
  void top(int k, float log_sum, am_step_result& result) const {
    auto sorted = peaks_;
    k = std::min(k, n_);
    const int threshold = std::min(k, blocks_) - 1;
    std::partial_sort(begin(sorted), begin(sorted) + threshold + 1, begin(sorted) + blocks_,
                      std::greater<>());
    const float least =
        k <= blocks_ ? sorted[static_cast<size_t>(threshold)] : -std::numeric_limits<float>::infinity();
    std::array<std::pair<float, int>, AM_MAX_TOP_K> kept;
    int count = 0;
    for (int b = 0; b < blocks_; b++) {
      if (peaks_[static_cast<size_t>(b)] < least) continue;
      for (int i = b * kBlock; i < end(b); i++) {
        if (logits_[i] < least || (count == k && logits_[i] <= kept[static_cast<size_t>(k - 1)].first))
          continue;
        int at = count < k ? count++ : k - 1;
        for (; at > 0 && kept[static_cast<size_t>(at - 1)].first < logits_[i]; at--)
          kept[static_cast<size_t>(at)] = kept[static_cast<size_t>(at - 1)];
        kept[static_cast<size_t>(at)] = {logits_[i], i};
      }
    }
    result.n_top = count;
    for (int i = 0; i < count; i++) {
      result.top_tokens[i] = kept[static_cast<size_t>(i)].second;
      result.top_logprobs[i] = kept[static_cast<size_t>(i)].first - log_sum;
    }
  }

 private:
  int end(int block) const { return std::min(n_, (block + 1) * kBlock); }
  const float* logits_;
  int n_, blocks_;
  std::array<float, kMostBlocks> peaks_;
};

// Inverse of the cumulative softmax(logits / temperature) at `uniform`, in token order. Overwrites the
// logits.
int sample(float* logits, int n, float temperature, double uniform) {
  constexpr float kNothing = 1e-37f;  // what exp gives for a masked token
  for (int i = 0; i < n; i++) logits[i] /= temperature;
  row_kernels().softmax_f32(logits, logits, n);
  std::array<double, kMostBlocks> blocks{};
  double total = 0;
  for (int i = 0; i < n; i++) blocks[static_cast<size_t>(i / kBlock)] += logits[i] > kNothing ? logits[i] : 0;
  for (double b : blocks) total += b;
  const double target = uniform * total;
  double sum = 0;
  int last = 0;
  for (int first = 0; first < n; first += kBlock) {
    const double block = blocks[static_cast<size_t>(first / kBlock)];
    if (sum + block <= target && first + kBlock < n) {
      sum += block;
      continue;
    }
    for (int i = first; i < std::min(n, first + kBlock); i++) {
      if (logits[i] <= kNothing) continue;
      last = i;
      sum += logits[i];
      if (sum > target) return last;
    }
  }
  return last;
}
}  // namespace

void choose_token(const am_step& step, const Sequence& sequence, int length, const SpecialTokens& tokens,
                  float* logits, am_step_result& result) {
  const int n = tokens.vocabulary;
  apply_filters(sequence, length, tokens, logits);
  const Peaks peaks(logits, n);
  const float log_sum = row_kernels().log_sum_exp(logits, n);
  result.token = peaks.best();
  result.margin = logits[result.token] - peaks.second(result.token);
  if (step.top_k > 0) peaks.top(step.top_k, log_sum, result);
  if (step.temperature > 0) {
    const float greedy = logits[result.token];
    result.token = sample(logits, n, step.temperature, step.uniform);
    // sample() leaves exp((logit - greedy) / temperature).
    result.logprob = greedy + step.temperature * std::log(logits[result.token]) - log_sum;
  } else {
    result.logprob = logits[result.token] - log_sum;
  }
}

}  // namespace amanuensis
