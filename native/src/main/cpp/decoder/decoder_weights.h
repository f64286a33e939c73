// Packed weights of the decoder.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "decoder/cross_kv.h"
#include "device/cpu/linear.h"
#include "device/cpu/memory.h"
#include "model/safetensors.h"

namespace amanuensis {

/// Shapes and special tokens the decoder needs.
struct DecoderShape {
  int vocabulary, context, state, heads, layers;
  int frames;  // encoder states of a window, 20 ms each
  int eot, sot, timestamp_begin, no_speech, no_timestamps, languages;
  std::vector<std::pair<int, int>> alignment_heads;  // (layer, head)
};

struct NormWeights {
  AlignedArray<float> gamma, beta;
};

struct DecoderBlock {
  NormWeights self_norm, cross_norm, mlp_norm;
  LinearWeights qkv, self_out, cross_q, cross_out, fc1, fc2;
};

/// How the parts of a decoder compute: the projections (and with them the self-attention caches), the
/// vocabulary projection, and cross-attention.
struct DecoderArithmetic {
  Arithmetic layers, logits, cross;
};

/// Immutable weights, shared by all decoders of a model.
struct DecoderWeights {
  explicit DecoderWeights(FileRows token_embedding) : embedding(std::move(token_embedding)) {}
  DecoderShape shape;
  DecoderArithmetic arithmetic{};
  FileRows embedding;             // vocabulary x state; a step needs one row for each of its own
  AlignedArray<float> positions;  // context x state
  std::vector<DecoderBlock> blocks;
  std::vector<LinearWeights> cross_kv;  // per layer: 2 state x state
  NormWeights final_norm;
  LinearWeights logits;
  CrossKvLayout cross_layout{Arithmetic::kF32, 1, 1, 16};
  size_t bytes = 0, layer_bytes = 0;  // all in memory; the projections of the layers
  /// Whether self-attention caches are in f16.
  bool half() const { return arithmetic.layers == Arithmetic::kInt8; }
};

/// plain_cross: int8 weights of cross_kv keep their plain rows, which devices take.
std::shared_ptr<const DecoderWeights> load_decoder(const DecoderShape& shape, DecoderArithmetic arithmetic,
                                                   const Safetensors& file, bool plain_cross = false);

}  // namespace amanuensis
