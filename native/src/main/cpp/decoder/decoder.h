// The decoder: one step serves the rows of all live sequences.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "capi/amanuensis.h"
#include "decoder/cross_kv.h"
#include "decoder/sequences.h"
#include "encoder/encoder.h"  // TensorReader

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

/// Immutable weights, shared by all decoders of a model.
struct DecoderWeights {
  DecoderShape shape;
  Arithmetic arithmetic = Arithmetic::kF32;
  AlignedArray<float> embedding;  // vocabulary x state
  AlignedArray<float> positions;  // context x state
  std::vector<DecoderBlock> blocks;
  std::vector<LinearWeights> cross_kv;  // per layer: 2 state x state
  NormWeights final_norm;
  LinearWeights logits;
  CrossKvLayout cross_layout{Arithmetic::kF32, 1, 1, 16};
  size_t bytes = 0;
};
std::shared_ptr<const DecoderWeights> load_decoder(const DecoderShape& shape, Arithmetic arithmetic,
                                                   const TensorReader& read, bool plain_cross = false);

/// Row of a forward pass: one token of one sequence.
struct ForwardRow {
  Sequence* sequence;
  int token, position;
  int qk_row;  // row of the alignment matrix to fill, or -1
};

/// Runs rows through the layers; scratch for kMaxRows rows. One per decoder.
class ForwardPass {
 public:
  static constexpr int kMaxRows = 64;
  ForwardPass(const DecoderWeights& weights, int threads);
  /// rows: in order of position within each sequence; hidden: rows x state, after the final LayerNorm.
  /// qk: null, or [alignment head][qk_rows][frames] scores before softmax.
  void run(const std::vector<ForwardRow>& rows, float* hidden, float* qk, int qk_rows);
  /// hidden rows -> logits: n x vocabulary.
  void logits(const float* hidden, int n, float* out);

 private:
  void chunk(const ForwardRow* rows, int n, float* hidden, float* qk, int qk_rows);
  void self_attention(const ForwardRow* rows, int n, int layer);
  void cross_attention(const ForwardRow* rows, int n, int layer, float* qk, int qk_rows);
  template <class F>
  void each(int n, F work);

  const DecoderWeights& w_;
  int threads_;
  const RowKernels& k_;
  LinearRunner qkv_, square_, fc1_, fc2_, logits_;
  AlignedArray<float> x_, normed_, wide_, attended_, scratch_;
  std::vector<int> groups_;  // first rows of the windows in a chunk, then the number of rows
};

class Decoder {
 public:
  Decoder(std::shared_ptr<const DecoderWeights> weights, int max_slots, int threads);
  int open(const void* cross_kv, const am_slot_options& options);
  int fork(int source);
  void reorder(const int32_t* slots, const int32_t* sources, int n);
  void close(int slot);
  void step(const am_step* steps, am_step_result* results, int n);
  void detect_language(const void* cross_kv, float* probabilities);
  void align(const am_align_request* requests, int n);

 private:
  Sequence& at(int slot);
  int free_slot() const;
  std::unique_ptr<Sequence> new_sequence(const void* cross_kv);
  void check(const am_step& step);
  void check(const am_align_request& request) const;
  void run_wanted();
  void choose(const am_step& step, Sequence& sequence, float* logits, am_step_result& result) const;
  void align_one(const am_align_request& request);

  std::shared_ptr<const DecoderWeights> w_;
  SelfCachePool pool_;
  std::vector<std::unique_ptr<Sequence>> slots_;
  ForwardPass forward_;
  // Scratch that grows to the largest step seen.
  std::vector<ForwardRow> rows_;
  std::vector<int> wanted_;  // rows whose logits are needed
  std::vector<float> hidden_, wanted_hidden_, logits_, qk_;
};

}  // namespace amanuensis
