#include "decoder/forward.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "decoder/stopwatch.h"

namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kHeadsAtOnce = 4;  // in a piece of self-attention
constexpr int kLogitRows = 16;   // that share a pass over the vocabulary projection

void embed(const DecoderWeights& w, const ForwardRow& row, float* x) {
  const auto d = static_cast<size_t>(w.shape.state);
  const float* position = w.positions.data() + static_cast<size_t>(row.position) * d;
  w.embedding.read(static_cast<size_t>(row.token), x);
  for (size_t i = 0; i < d; i++) x[i] += position[i];
}

// The self-attention cache in f32 and f16.
void keep(const float* x, float* to, int n) { std::copy_n(x, n, to); }
void keep(const float* x, uint16_t* to, int n) { step_kernels().to_f16(x, to, n); }
void key_scores(const float* q, const float* keys, int64_t stride, int n, float* scores) {
  row_kernels().key_scores_f32(q, keys, stride, n, scores);
}
void key_scores(const float* q, const uint16_t* keys, int64_t stride, int n, float* scores) {
  step_kernels().key_scores_f16(q, keys, stride, n, scores);
}
void add_values(const float* weights, const float* values, int64_t stride, int n, float* out) {
  row_kernels().add_values_f32(weights, values, stride, n, out);
}
void add_values(const float* weights, const uint16_t* values, int64_t stride, int n, float* out) {
  step_kernels().add_values_f16(weights, values, stride, n, out);
}
}  // namespace

ForwardPass::ForwardPass(const DecoderWeights& w, Team& team)
    : w_(w),
      team_(team),
      k_(row_kernels()),
      qkv_(w.arithmetic.layers, w.shape.state, 3 * w.shape.state, kMaxRows, team),
      square_(w.arithmetic.layers, w.shape.state, w.shape.state, kMaxRows, team),
      fc1_(w.arithmetic.layers, w.shape.state, 4 * w.shape.state, kMaxRows, team),
      fc2_(w.arithmetic.layers, 4 * w.shape.state, w.shape.state, kMaxRows, team),
      logits_(w.arithmetic.logits, w.shape.state, w.shape.vocabulary, kLogitRows, team),
      scratch_size_(std::max(cross_scratch(w.cross_layout), static_cast<size_t>(w.shape.context))),
      x_(static_cast<size_t>(kMaxRows * w.shape.state)),
      normed_(static_cast<size_t>(kMaxRows * w.shape.state)),
      wide_(static_cast<size_t>(kMaxRows * 4 * w.shape.state)),
      attended_(static_cast<size_t>(kMaxRows * w.shape.state)),
      scratch_(static_cast<size_t>(team.most()) * scratch_size_) {}

void ForwardPass::run(const std::vector<ForwardRow>& rows, float* hidden) {
  omp_set_num_threads(team_.threads());
  stats_.rows += static_cast<int64_t>(rows.size());
  for (size_t first = 0; first < rows.size(); first += kMaxRows) {
    const int n = static_cast<int>(std::min<size_t>(kMaxRows, rows.size() - first));
    chunk(rows.data() + first, n, hidden + first * static_cast<size_t>(w_.shape.state));
  }
}

void ForwardPass::chunk(const ForwardRow* rows, int n, float* hidden) {
  const int d = w_.shape.state;
  Stopwatch watch;
  const auto norm = [&](const NormWeights& w, float* to) {
    for (int r = 0; r < n; r++)
      k_.layer_norm(x_.data() + r * d, w.gamma.data(), w.beta.data(), to + r * d, d);
  };
  for (int r = 0; r < n; r++) embed(w_, rows[r], x_.data() + r * d);
  for (int layer = 0; layer < w_.shape.layers; layer++) {
    const auto& b = w_.blocks[static_cast<size_t>(layer)];
    norm(b.self_norm, normed_.data());
    qkv_.run(b.qkv, normed_.data(), n, wide_.data());
    watch.lap(stats_.projections);
    w_.half() ? self_attention<uint16_t>(rows, n, layer) : self_attention<float>(rows, n, layer);
    watch.lap(stats_.self_attention);
    square_.run_add(b.self_out, attended_.data(), n, x_.data());
    norm(b.cross_norm, normed_.data());
    square_.run(b.cross_q, normed_.data(), n, wide_.data());
    watch.lap(stats_.projections);
    cross_attention(rows, n, layer);
    watch.lap(stats_.cross_attention);
    square_.run_add(b.cross_out, attended_.data(), n, x_.data());
    norm(b.mlp_norm, normed_.data());
    fc1_.run_gelu(b.fc1, normed_.data(), n, wide_.data());
    fc2_.run_add(b.fc2, wide_.data(), n, x_.data());
    watch.lap(stats_.projections);
  }
  norm(w_.final_norm, hidden);
  stats_.weight_bytes += static_cast<int64_t>(w_.layer_bytes);
}

template <class T>
void ForwardPass::self_attention(const ForwardRow* rows, int n, int layer) {
  const int d = w_.shape.state, heads = w_.shape.heads;
  for (int r = 0; r < n; r++) {
    const float* qkv = wide_.data() + static_cast<int64_t>(r) * 3 * d;
    SelfCache& own = *rows[r].sequence->own;
    keep(qkv + d, own.key<T>(rows[r].position, layer), 2 * d);  // the value lies behind the key
    stats_.self_bytes += static_cast<int64_t>(sizeof(T)) * 2 * d * (rows[r].position + 1);
  }
  team_.run(n * heads / kHeadsAtOnce, [&](int piece, int thread) {
    float* scores = scratch(thread);
    for (int i = piece * kHeadsAtOnce; i < (piece + 1) * kHeadsAtOnce; i++) {
      const int r = i / heads, h = i % heads, length = rows[r].position + 1;
      const auto& owner = rows[r].sequence->owner;
      const float* q = wide_.data() + static_cast<int64_t>(r) * 3 * d + h * kHead;
      float* out = attended_.data() + static_cast<int64_t>(r) * d + h * kHead;
      const auto runs = [&](auto work) {  // stretches of positions that one cache holds
        for (int from = 0, to; from < length; from = to) {
          SelfCache* cache = owner[static_cast<size_t>(from)];
          for (to = from + 1; to < length && owner[static_cast<size_t>(to)] == cache;) to++;
          work(cache, from, to - from);
        }
      };
      runs([&](SelfCache* c, int from, int count) {
        key_scores(q, c->key<T>(from, layer) + h * kHead, c->stride(), count, scores + from);
      });
      const float inverse = k_.softmax_f32(scores, scores, length);
      std::memset(out, 0, sizeof(float) * kHead);
      runs([&](SelfCache* c, int from, int count) {
        add_values(scores + from, c->value<T>(from, layer) + h * kHead, c->stride(), count, out);
      });
      for (int j = 0; j < kHead; j++) out[j] *= inverse;
    }
  });
}

// Rows of one window (a prompt, beams) share one pass over its keys and values.
void ForwardPass::cross_attention(const ForwardRow* rows, int n, int layer) {
  const int d = w_.shape.state, heads = w_.shape.heads;
  const auto& wanted = w_.shape.alignment_heads;
  groups_.clear();
  for (int r = 0; r < n; r++)
    if (r == 0 || rows[r].sequence->cross_kv != rows[r - 1].sequence->cross_kv ||
        rows[r].sink != rows[r - 1].sink) {
      groups_.push_back(r);
      stats_.cross_bytes += w_.cross_layout.bytes_read(rows[r].sequence->cross_kv);
    }
  groups_.push_back(n);
  team_.run(static_cast<int>(groups_.size() - 1) * heads, [&](int i, int thread) {
    const int first = groups_[static_cast<size_t>(i / heads)], h = i % heads;
    const int count = groups_[static_cast<size_t>(i / heads) + 1] - first;
    const ScoreSink* sink = rows[first].sink;  // one for all rows of a window
    float* scores[kMaxRows] = {};
    const auto at = std::find(wanted.begin(), wanted.end(), std::make_pair(layer, h));
    if (sink != nullptr && at != wanted.end())
      for (int r = 0; r < count; r++)
        scores[r] = sink->data +
                    ((at - wanted.begin()) * int64_t{sink->rows} + rows[first + r].position) * sink->frames;
    const int64_t from = static_cast<int64_t>(first) * d + h * kHead;
    cross_attend(w_.cross_layout, rows[first].sequence->cross_kv, layer, h, wide_.data() + from,
                 attended_.data() + from, d, count, scores, sink == nullptr ? 0 : sink->frames,
                 scratch(thread));
  });
}

void ForwardPass::logits(const float* hidden, int n, float* out) {
  omp_set_num_threads(team_.threads());
  Stopwatch watch;
  logits_.run(w_.logits, hidden, n, out);
  watch.lap(stats_.logits);
  stats_.logit_rows += n;
  stats_.weight_bytes += static_cast<int64_t>(w_.logits.packed.size()) * ((n + kLogitRows - 1) / kLogitRows);
}

}  // namespace amanuensis
