// A Whisper checkpoint: its dimensions, special tokens and packed weights for one profile.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "decoder/cross_kv.h"
#include "decoder/decoder.h"
#include "device/cpu/core_load.h"
#include "device/cpu/idle_cores.h"
#include "encoder/encoder.h"
#include "mel/log_mel.h"

namespace amanuensis {

/// What helps whichever of a model's lanes computes alone.
struct LaneHelpers {
  LaneHelpers(CoreLoad& load, int threads, const EncoderWeights& encoder_weights,
              const LinearWeights& cross_weights)
      : cores(load, threads),
        encoder(encoder_helpers(encoder_weights, cores)),
        cross(std::make_shared<CrossKvHelpers>(cross_weights, cores)) {}
  IdleCores cores;
  std::shared_ptr<EncoderHelpers> encoder;
  std::shared_ptr<CrossKvHelpers> cross;
};

/// Immutable after loading but for the load and the helpers; shared by lanes and decoders, which keep it.
struct WhisperModel {
  /// cores: see am_model_options.
  explicit WhisperModel(int cores = 0) : load(cores) {}
  am_profile profile = AM_PROFILE_REFERENCE;
  bool for_device = false;  // int8 weights kept their plain rows
  EncoderShape encoder_shape{};
  DecoderShape decoder_shape;
  std::shared_ptr<const EncoderWeights> encoder;
  std::shared_ptr<const DecoderWeights> decoder;
  std::unique_ptr<const LogMel> mel;
  mutable CoreLoad load;

  /// The helpers of all lanes, made when they are first asked for, with as many threads as then. Thread-safe.
  LaneHelpers& helpers(int threads) const {
    std::call_once(helped_, [&] {
      helpers_ = std::make_unique<LaneHelpers>(load, threads, *encoder, decoder->cross_kv.front());
    });
    return *helpers_;
  }

 private:
  mutable std::once_flag helped_;
  mutable std::unique_ptr<LaneHelpers> helpers_;  // after what it refers to
};

/// Reads a safetensors file with Hugging Face's tensor names, checks every shape and packs the weights.
/// options: whole, as take() gives them, and in range.
std::shared_ptr<const WhisperModel> load_whisper(const std::string& path, const am_model_options& options);

}  // namespace amanuensis
