// From a row of logits to a token.
#pragma once
#include "capi/amanuensis.h"
#include "decoder/logit_filters.h"

namespace amanuensis {

/// Filters logits[vocabulary] and chooses: token, log-probability, margin and candidates of the result. The
/// logits are overwritten. Thread-safe for different rows.
void choose_token(const am_step& step, const Sequence& sequence, const SpecialTokens& tokens, float* logits,
                  am_step_result& result);

}  // namespace amanuensis
