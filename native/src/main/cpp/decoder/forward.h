// The layers of the decoder: rows of tokens -> hidden states -> logits.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "decoder/cross_kv.h"
#include "decoder/sequences.h"
#include "decoder/step_linear.h"
#include "encoder/encoder.h"  // TensorReader
#include "model/safetensors.h"

namespace amanuensis {

/// Shapes and special tokens the decoder needs.
struct DecoderShape {
  int vocabulary, context, state, heads, layers, frames;
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
  explicit DecoderWeights(FileRows rows) : embedding(std::move(rows)) {}
  DecoderShape shape;
  DecoderArithmetic arithmetic{};
  FileRows embedding;             // vocabulary x state; a step needs one row for each of its own
  AlignedArray<float> positions;  // context x state
  std::vector<DecoderBlock> blocks;
  std::vector<LinearWeights> cross_kv;  // per layer: 2 state x state
  NormWeights final_norm;
  LinearWeights logits;
  CrossKvLayout cross_layout{Arithmetic::kF32, 1, 1, 16};
  size_t bytes = 0, layer_bytes = 0;                                    // all; the projections of the layers
  bool half() const { return arithmetic.layers == Arithmetic::kInt8; }  // self-attention caches in f16
};
std::shared_ptr<const DecoderWeights> load_decoder(const DecoderShape& shape, DecoderArithmetic arithmetic,
                                                   const Safetensors& file, bool plain_cross = false);

/// Where the scores of the alignment heads go: [alignment head][rows][frames], before softmax.
struct ScoreSink {
  float* data;
  int rows, frames;
};

/// Row of a forward pass: one token of one sequence.
struct ForwardRow {
  Sequence* sequence;
  int token, position;
  const ScoreSink* sink;  // or null: no scores wanted
};

/// What a decoder has done so far: nanoseconds by part, and bytes read.
struct StepTimes {
  int64_t projections = 0, self_attention = 0, cross_attention = 0, logits = 0;
  int64_t rows = 0, logit_rows = 0;
  int64_t weight_bytes = 0, cross_bytes = 0, self_bytes = 0;
};

/// Runs rows through the layers; scratch for kMaxRows rows. One per decoder.
class ForwardPass {
 public:
  static constexpr int kMaxRows = 64;
  ForwardPass(const DecoderWeights& weights, Team& team);
  /// rows: in order of position within each sequence; those of one window side by side.
  /// hidden: rows x state, after the final LayerNorm.
  void run(const std::vector<ForwardRow>& rows, float* hidden);
  /// hidden rows -> logits: n x vocabulary.
  void logits(const float* hidden, int n, float* out);
  const StepTimes& times() const { return times_; }

 private:
  void chunk(const ForwardRow* rows, int n, float* hidden);
  template <class T>
  void self_attention(const ForwardRow* rows, int n, int layer);
  void cross_attention(const ForwardRow* rows, int n, int layer);
  float* scratch(int thread) { return scratch_.data() + scratch_size_ * static_cast<size_t>(thread); }

  const DecoderWeights& w_;
  Team& team_;
  const RowKernels& k_;
  StepLinear qkv_, square_, fc1_, fc2_, logits_;
  size_t scratch_size_;  // of one thread
  AlignedArray<float> x_, normed_, wide_, attended_, scratch_;
  std::vector<int> groups_;  // first rows of the windows in a chunk, then the number of rows
  StepTimes times_;
};

}  // namespace amanuensis
