// The layers of the decoder: rows of tokens -> hidden states -> logits.
#pragma once
#include <cstdint>
#include <vector>

#include "decoder/decoder_weights.h"
#include "decoder/sequences.h"
#include "decoder/step_linear.h"

namespace amanuensis {

/// Where the scores of the alignment heads go: [alignment head][rows][frames], before softmax. Owns nothing.
struct ScoreSink {
  float* data;
  int rows, frames;
};

/// Row of a forward pass: one token of one sequence. Owns nothing.
struct ForwardRow {
  Sequence* sequence;
  int token, position;
  const ScoreSink* sink;  // or null: no scores wanted
  bool wanted;            // its hidden state is; if not, the row only leaves keys and values
};

/// What a decoder has done so far.
struct ForwardStats {
  int64_t projections = 0, self_attention = 0, cross_attention = 0, logits = 0;  // nanoseconds
  int64_t rows = 0, logit_rows = 0;
  int64_t weight_bytes = 0, cross_bytes = 0, self_bytes = 0;  // read
};

/// Runs rows through the layers; scratch for kMaxRows rows. One per decoder; weights and team must outlive
/// it.
class ForwardPass {
 public:
  static constexpr int kMaxRows = 64;
  ForwardPass(const DecoderWeights& weights, Team& team);
  /// rows: in order of position within each sequence; those of one window side by side.
  /// hidden: rows x state, after the final LayerNorm; those of rows that are not wanted stay as they are.
  void run(const std::vector<ForwardRow>& rows, float* hidden);
  /// hidden rows -> logits: n x vocabulary.
  void logits(const float* hidden, int n, float* out);
  const ForwardStats& stats() const { return stats_; }

 private:
  void chunk(const ForwardRow* rows, int n, float* hidden);
  int keep_wanted(const ForwardRow* rows, int n);
  template <class T>
  void keep_keys(const ForwardRow* rows, int n, int layer);
  template <class T>
  void self_attention(const ForwardRow* rows, int n, int layer);
  template <class T>
  void attend_self(const ForwardRow* rows, int r, int queries, int layer, int head, float* scores);
  void cross_attention(const ForwardRow* rows, int n, int layer);
  float* scratch(int thread) { return scratch_.data() + scratch_size_ * static_cast<size_t>(thread); }

  const DecoderWeights& w_;
  Team& team_;
  const RowKernels& k_;
  StepLinear qkv_, square_, fc1_, fc2_, logits_;
  size_t scratch_size_;  // of one thread
  AlignedArray<float> x_, normed_, wide_, attended_, scratch_;
  std::vector<int> groups_;         // first rows of those that attend together, then the number of rows
  std::vector<ForwardRow> wanted_;  // of a chunk, and their places in it
  std::vector<int> places_;
  ForwardStats stats_;
};

}  // namespace amanuensis
