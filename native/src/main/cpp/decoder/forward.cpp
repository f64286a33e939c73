#include "decoder/forward.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "decoder/stopwatch.h"

namespace amanuensis {

namespace {
constexpr int kHead = SelfCache::kHead;
constexpr int kLogitRows = 16;  // that share a pass over the vocabulary projection

void embed(const DecoderWeights& w, const ForwardRow& row, float* x) {
  const auto d = static_cast<size_t>(w.shape.state);
  const float* position = w.positions.data() + static_cast<size_t>(row.position) * d;
  w.embedding.read(static_cast<size_t>(row.token), x);
  for (size_t i = 0; i < d; i++) x[i] += position[i];
}

// The self-attention cache in f32 and f16.
void keep(const float* x, float* to, int n) { std::copy_n(x, n, to); }
void keep(const float* x, uint16_t* to, int n) { step_kernels().to_f16(x, to, n); }
void key_scores(const float* q, int64_t q_stride, int queries, const float* keys, int n, float* scores,
                int64_t stride) {
  for (int i = 0; i < queries; i++)
    row_kernels().key_scores_f32(q + i * q_stride, keys, kHead, n, scores + i * stride);
}
void key_scores(const float* q, int64_t q_stride, int queries, const uint16_t* keys, int n, float* scores,
                int64_t stride) {
  step_kernels().key_scores_f16(q, q_stride, queries, keys, n, scores, stride);
}
void add_values(const float* weights, int64_t stride, int queries, const float* values, int n, float* out,
                int64_t out_stride) {
  for (int i = 0; i < queries; i++)
    row_kernels().add_values_f32(weights + i * stride, values, kHead, n, out + i * out_stride);
}
void add_values(const float* weights, int64_t stride, int queries, const uint16_t* values, int n, float* out,
                int64_t out_stride) {
  step_kernels().add_values_f16(weights, stride, queries, values, n, out, out_stride);
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
      scratch_size_(std::max(cross_scratch(w.cross_layout),
                             static_cast<size_t>(StepKernels::kMostQueries * w.shape.context))),
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
    w_.half() ? keep_keys<uint16_t>(rows, n, layer) : keep_keys<float>(rows, n, layer);
    if (layer == w_.shape.layers - 1) {
      n = keep_wanted(rows, n);
      rows = wanted_.data();
      if (n == 0) break;
    }
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
  for (int r = 0; r < n; r++)
    k_.layer_norm(x_.data() + r * d, w_.final_norm.gamma.data(), w_.final_norm.beta.data(),
                  hidden + places_[static_cast<size_t>(r)] * d, d);
  stats_.weight_bytes += static_cast<int64_t>(w_.layer_bytes);
}

// Before the last layer attends: the rows that are wanted move together, the others are done. Returns how
// many.
int ForwardPass::keep_wanted(const ForwardRow* rows, int n) {
  const int64_t d = w_.shape.state;
  wanted_.clear();
  places_.clear();
  for (int r = 0; r < n; r++) {
    if (!rows[r].wanted) continue;
    const auto to = static_cast<int64_t>(wanted_.size());
    if (to < r) {
      std::copy_n(x_.data() + r * d, d, x_.data() + to * d);
      std::copy_n(wide_.data() + r * 3 * d, d, wide_.data() + to * 3 * d);  // the query
    }
    wanted_.push_back(rows[r]);
    places_.push_back(r);
  }
  return static_cast<int>(wanted_.size());
}

template <class T>
void ForwardPass::keep_keys(const ForwardRow* rows, int n, int layer) {
  const int d = w_.shape.state;
  for (int r = 0; r < n; r++) {
    const float* key = wide_.data() + static_cast<int64_t>(r) * 3 * d + d;
    SelfCache& own = *rows[r].sequence->own;
    for (int h = 0; h < w_.shape.heads; h++, key += kHead) {
      keep(key, own.key<T>(rows[r].position, layer, h), kHead);
      keep(key + d, own.value<T>(rows[r].position, layer, h), kHead);
    }
  }
}

// A few rows of one sequence share one pass over its keys and values.
template <class T>
void ForwardPass::self_attention(const ForwardRow* rows, int n, int layer) {
  const int heads = w_.shape.heads;
  groups_.clear();
  for (int r = 0; r < n; r++) {
    if (r == 0 || rows[r].sequence != rows[r - 1].sequence || r - groups_.back() == StepKernels::kMostQueries)
      groups_.push_back(r);
    stats_.self_bytes += static_cast<int64_t>(sizeof(T)) * 2 * w_.shape.state * (rows[r].position + 1);
  }
  groups_.push_back(n);
  team_.run(static_cast<int>(groups_.size() - 1) * heads, [&](int piece, int thread) {
    const int first = groups_[static_cast<size_t>(piece / heads)];
    const int queries = groups_[static_cast<size_t>(piece / heads) + 1] - first;
    attend_self<T>(rows + first, first, queries, layer, piece % heads, scratch(thread));
  });
}

// rows: `queries` of one sequence; the first one is row r of the chunk.
template <class T>
void ForwardPass::attend_self(const ForwardRow* rows, int r, int queries, int layer, int head,
                              float* scores) {
  const int d = w_.shape.state, most = w_.shape.context;
  const int length = rows[queries - 1].position + 1;
  const auto& owner = rows[0].sequence->owner;
  const float* q = wide_.data() + static_cast<int64_t>(r) * 3 * d + head * kHead;
  float* out = attended_.data() + static_cast<int64_t>(r) * d + head * kHead;
  const auto runs = [&](auto work) {  // stretches of positions that one cache holds
    for (int from = 0, to; from < length; from = to) {
      SelfCache* cache = owner[static_cast<size_t>(from)];
      for (to = from + 1; to < length && owner[static_cast<size_t>(to)] == cache;) to++;
      work(cache, from, to - from);
    }
  };
  runs([&](SelfCache* c, int from, int count) {
    key_scores(q, 3 * d, queries, c->key<T>(from, layer, head), count, scores + from, most);
  });
  float inverse[StepKernels::kMostQueries];
  for (int i = 0; i < queries; i++) {
    float* own = scores + i * most;
    const int seen = rows[i].position + 1;
    inverse[i] = k_.softmax_f32(own, own, seen);
    std::fill(own + seen, own + length, 0.0f);  // what lies behind the row
    std::memset(out + static_cast<int64_t>(i) * d, 0, sizeof(float) * kHead);
  }
  runs([&](SelfCache* c, int from, int count) {
    add_values(scores + from, most, queries, c->value<T>(from, layer, head), count, out, d);
  });
  for (int i = 0; i < queries; i++)
    for (int j = 0; j < kHead; j++) out[static_cast<int64_t>(i) * d + j] *= inverse[i];
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
