// A Whisper checkpoint: its dimensions, special tokens and packed weights for one profile.
#pragma once
#include <memory>
#include <string>

#include "decoder/decoder.h"
#include "device/cpu/core_load.h"
#include "encoder/encoder.h"
#include "mel/log_mel.h"

namespace amanuensis {

/// Immutable after loading but for the load; shared by lanes and decoders.
struct WhisperModel {
  am_profile profile = AM_PROFILE_REFERENCE;
  bool for_device = false;  // int8 weights kept their plain rows
  EncoderShape encoder_shape{};
  DecoderShape decoder_shape;
  std::shared_ptr<const EncoderWeights> encoder;
  std::shared_ptr<const DecoderWeights> decoder;
  std::unique_ptr<const LogMel> mel;
  mutable CoreLoad load;
};

/// Reads a safetensors file with Hugging Face's tensor names, checks every shape and packs the weights.
/// for_device: keeps what a GemmDevice needs.
std::shared_ptr<const WhisperModel> load_whisper(const std::string& path, const am_model_options& options,
                                                 bool for_device = false);

}  // namespace amanuensis
