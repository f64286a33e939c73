#include "decoder/requests.h"

#include <algorithm>
#include <string>

#include "model/errors.h"

namespace amanuensis {

namespace {
void check_draft(const am_step& step, const DecoderShape& shape) {
  if (step.draft == nullptr) throw InvalidArgument("draft is null");
  if (step.temperature > 0 || step.top_k > 0 || step.raw_logits != nullptr)
    throw InvalidArgument("a step with a draft takes no temperature, candidates or raw_logits");
  for (int i = 0; i < step.n_draft; i++)
    if (step.draft[i] < 0 || step.draft[i] >= shape.vocabulary || step.draft[i] == shape.eot)
      throw InvalidArgument("token " + std::to_string(step.draft[i]) + " does not go into a draft");
}
}  // namespace

void check_step(const am_step& step, int length, const DecoderShape& shape) {
  if (step.n_tokens < 1 || step.tokens == nullptr) throw InvalidArgument("a step needs at least one token");
  if (step.n_draft < 0 || step.n_draft > AM_MAX_DRAFT)
    throw InvalidArgument("n_draft must be 0 to " + std::to_string(AM_MAX_DRAFT));
  const int after = length + step.n_tokens + step.n_draft;
  if (after > shape.context)
    throw BadState("slot " + std::to_string(step.slot) + ": " + std::to_string(after) +
                   " tokens exceed the context of " + std::to_string(shape.context));
  for (int i = 0; i < step.n_tokens; i++)
    if (step.tokens[i] < 0 || step.tokens[i] >= shape.vocabulary)
      throw InvalidArgument("token " + std::to_string(step.tokens[i]) + " is outside the vocabulary");
  if (step.no_speech_row >= step.n_tokens)
    throw InvalidArgument("no_speech_row is outside the step's tokens");
  if (step.top_k < 0 || step.top_k > AM_MAX_TOP_K)
    throw InvalidArgument("top_k must be 0 to " + std::to_string(AM_MAX_TOP_K));
  if (!(step.temperature >= 0) || !(step.uniform >= 0 && step.uniform < 1))
    throw InvalidArgument("temperature must be >= 0 and uniform in [0, 1)");
  if (step.n_draft > 0) check_draft(step, shape);
}

void check_align(const am_align_request& r, const DecoderShape& shape) {
  if (r.n_sot < 1 || r.n_text < 0 || r.sot_sequence == nullptr || (r.n_text > 0 && r.text == nullptr) ||
      r.cross_kv == nullptr || r.start_frames == nullptr || (r.n_text > 0 && r.probabilities == nullptr))
    throw InvalidArgument("an alignment request misses a pointer or a count");
  if (r.n_sot + r.n_text + 2 > shape.context) throw InvalidArgument("the text to align exceeds the context");
  const int most = 2 * std::min(shape.frames, CrossKvLayout::rows(r.cross_kv));
  if (r.frames < 2 || r.frames > most)
    throw InvalidArgument("frames to align must be 2 to " + std::to_string(most));
  for (int i = 0; i < r.n_text; i++)
    if (r.text[i] < 0 || r.text[i] >= shape.eot)
      throw InvalidArgument("text token " + std::to_string(r.text[i]) + " is not text");
}

}  // namespace amanuensis
