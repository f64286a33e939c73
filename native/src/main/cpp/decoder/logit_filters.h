// Logit filters of openai/whisper (decoding.py): SuppressBlank, SuppressTokens, ApplyTimestampRules.
#pragma once
#include "decoder/sequences.h"

namespace amanuensis {

/// Token ids that the filters and choices refer to.
struct SpecialTokens {
  int vocabulary, eot, timestamp_begin, no_timestamps;
};

/// Masks logits[vocabulary] in place with -inf, in the reference's order. The sampled tokens are those after
/// sequence.sample_begin, up to its first `length` ones: what follows is a guess that may be wrong.
void apply_filters(const Sequence& sequence, int length, const SpecialTokens& tokens, float* logits);

}  // namespace amanuensis
