#include "decoder/logit_filters.h"

#include <algorithm>
#include <limits>

#include "decoder/step_kernels.h"
#include "device/cpu/kernels.h"

namespace amanuensis {

namespace {
constexpr float kMasked = -std::numeric_limits<float>::infinity();
constexpr int kBlank = 220;  // " " in both vocabularies

void mask(float* logits, int from, int to) {
  if (from < to) std::fill(logits + from, logits + to, kMasked);
}

// Timestamps come in pairs, never decrease, and start the sequence.
void mask_timestamps(const Sequence& s, int length, const SpecialTokens& t, float* logits) {
  logits[t.no_timestamps] = kMasked;
  const int begin = s.sample_begin, n = length - begin;
  const int* sampled = s.tokens.data() + begin;
  const bool last = n >= 1 && sampled[n - 1] >= t.timestamp_begin;
  const bool penultimate = n < 2 || sampled[n - 2] >= t.timestamp_begin;
  if (last && penultimate) mask(logits, t.timestamp_begin, t.vocabulary);
  if (last && !penultimate) mask(logits, 0, t.eot);
  for (int i = n - 1; i >= 0; i--) {
    if (sampled[i] < t.timestamp_begin) continue;
    // Zero-n segments are refused: unless this timestamp just closed one, the next must be later.
    mask(logits, t.timestamp_begin,
         std::min(t.vocabulary, last && !penultimate ? sampled[i] : sampled[i] + 1));
    break;
  }
  if (n > 0) return;
  mask(logits, 0, t.timestamp_begin);
  if (s.max_initial_timestamp >= 0)
    mask(logits, std::min(t.vocabulary, t.timestamp_begin + s.max_initial_timestamp + 1), t.vocabulary);
}

// If all timestamps together are likelier than the likeliest text token, a timestamp it is.
void prefer_timestamps(const SpecialTokens& t, float* logits) {
  const float timestamps =
      row_kernels().log_sum_exp(logits + t.timestamp_begin, t.vocabulary - t.timestamp_begin);
  const float text = step_kernels().maximum(logits, t.timestamp_begin);
  if (timestamps > text) mask(logits, 0, t.timestamp_begin);
}
}  // namespace

void apply_filters(const Sequence& s, int length, const SpecialTokens& t, float* logits) {
  if (s.suppress_blank && length == s.sample_begin) logits[kBlank] = logits[t.eot] = kMasked;
  if (s.suppress)
    for (int id : *s.suppress) logits[id] = kMasked;
  if (!s.timestamps) return;
  mask_timestamps(s, length, t, logits);
  prefer_timestamps(t, logits);
}

}  // namespace amanuensis
