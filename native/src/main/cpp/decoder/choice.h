// From a row of logits to a token.
#pragma once
#include "capi/amanuensis.h"
#include "decoder/logit_filters.h"

namespace amanuensis {

/// Filters logits[vocabulary] and chooses what follows the first `length` tokens of the sequence: token,
/// log-probability, margin and candidates of the result. The logits are overwritten. Thread-safe for
/// different rows.
void choose_token(const am_step& step, const Sequence& sequence, int length, const SpecialTokens& tokens,
                  float* logits, am_step_result& result);

}  // namespace amanuensis
