// What each part of the engine takes on this machine, beside what the machine allows.
#pragma once
#include <memory>
#include <string>

#include "model/whisper_model.h"

namespace amanuensis {

/// Measures for some tens of seconds and returns JSON: the rates of the machine, every GEMM of the encoder,
/// the stages of a full window and of a 7.7 s clip with a bound made of their parts, decoder steps at batch
/// 1, 4 and 16 beside the bandwidth bound, and one 30 s file alone. threads: of the last, and of the decoder.
std::string engine_bench(const std::shared_ptr<const WhisperModel>& model, int threads);

}  // namespace amanuensis
