// What callers may ask of a decoder.
#pragma once
#include "capi/amanuensis.h"
#include "decoder/decoder_weights.h"

namespace amanuensis {

/// Throws InvalidArgument or BadState if the step can't be made by a sequence of `length` tokens.
void check_step(const am_step& step, int length, const DecoderShape& shape);
/// Throws InvalidArgument if the alignment can't be made.
void check_align(const am_align_request& request, const DecoderShape& shape);

}  // namespace amanuensis
