#include <omp.h>

#include <algorithm>
#include <cstring>

#include "decoder/decoder.h"

namespace amanuensis {

namespace {
constexpr int kHead = 64;

NormWeights read_norm(const TensorReader& read, const std::string& name) {
  return {AlignedArray<float>(read(name + ".weight")), AlignedArray<float>(read(name + ".bias"))};
}

template <class... More>
std::vector<float> stacked(std::vector<float> first, const More&... more) {
  (first.insert(first.end(), more.begin(), more.end()), ...);
  return first;
}

// Scores are q . k / sqrt(64); the factor goes into q's projection, where a power of two costs no accuracy.
std::vector<float> eighth(std::vector<float> v) {
  for (auto& x : v) x *= 0.125f;
  return v;
}

DecoderBlock load_block(const TensorReader& read, const std::string& l, int state, Arithmetic a,
                        std::vector<LinearWeights>& cross, bool plain_cross) {
  const auto linear = [&](const std::string& name, int64_t k) {
    return pack_linear(a, read(l + name + ".weight"), read(l + name + ".bias"), k, kRunnerRows);
  };
  const std::vector<float> no_bias(static_cast<size_t>(state));
  DecoderBlock b;
  b.self_norm = read_norm(read, l + "self_attn_layer_norm");
  b.cross_norm = read_norm(read, l + "encoder_attn_layer_norm");
  b.mlp_norm = read_norm(read, l + "final_layer_norm");
  const std::string s = l + "self_attn.", c = l + "encoder_attn.";
  b.qkv = pack_linear(
      a, stacked(eighth(read(s + "q_proj.weight")), read(s + "k_proj.weight"), read(s + "v_proj.weight")),
      stacked(eighth(read(s + "q_proj.bias")), no_bias, read(s + "v_proj.bias")), state, kRunnerRows);
  b.self_out = linear("self_attn.out_proj", state);
  b.cross_q =
      pack_linear(a, eighth(read(c + "q_proj.weight")), eighth(read(c + "q_proj.bias")), state, kRunnerRows);
  b.cross_out = linear("encoder_attn.out_proj", state);
  b.fc1 = linear("fc1", state);
  b.fc2 = linear("fc2", 4 * state);
  cross.push_back(pack_linear(a, stacked(read(c + "k_proj.weight"), read(c + "v_proj.weight")),
                              stacked(no_bias, read(c + "v_proj.bias")), state, kRunnerRows, plain_cross));
  return b;
}
}  // namespace

std::shared_ptr<const DecoderWeights> load_decoder(const DecoderShape& shape, Arithmetic arithmetic,
                                                   const TensorReader& read, bool plain_cross) {
  auto w = std::make_shared<DecoderWeights>();
  const std::string d = "model.decoder.";
  w->shape = shape;
  w->arithmetic = arithmetic;
  const auto embedding = read(d + "embed_tokens.weight");
  w->embedding = AlignedArray<float>(embedding);
  w->positions = AlignedArray<float>(read(d + "embed_positions.weight"));
  for (int i = 0; i < shape.layers; i++) {
    w->blocks.push_back(load_block(read, d + "layers." + std::to_string(i) + ".", shape.state, arithmetic,
                                   w->cross_kv, plain_cross));
    const auto& b = w->blocks.back();
    w->bytes += b.qkv.bytes() + b.self_out.bytes() + b.cross_q.bytes() + b.cross_out.bytes() + b.fc1.bytes() +
                b.fc2.bytes() + w->cross_kv.back().bytes();
  }
  w->final_norm = read_norm(read, d + "layer_norm");
  w->logits = pack_linear(arithmetic, embedding, {}, shape.state, kRunnerRows);
  w->cross_layout = CrossKvLayout(arithmetic, shape.layers, shape.heads, shape.frames);
  w->bytes += w->logits.bytes() + 4 * (w->embedding.size() + w->positions.size());
  return w;
}

ForwardPass::ForwardPass(const DecoderWeights& w, int threads)
    : w_(w),
      threads_(threads),
      k_(row_kernels()),
      qkv_(w.arithmetic, w.shape.state, 3 * w.shape.state, kMaxRows),
      square_(w.arithmetic, w.shape.state, w.shape.state, kMaxRows),
      fc1_(w.arithmetic, w.shape.state, 4 * w.shape.state, kMaxRows),
      fc2_(w.arithmetic, 4 * w.shape.state, w.shape.state, kMaxRows),
      logits_(w.arithmetic, w.shape.state, w.shape.vocabulary, 16),
      x_(static_cast<size_t>(kMaxRows * w.shape.state)),
      normed_(static_cast<size_t>(kMaxRows * w.shape.state)),
      wide_(static_cast<size_t>(kMaxRows * 4 * w.shape.state)),
      attended_(static_cast<size_t>(kMaxRows * w.shape.state)),
      scratch_(static_cast<size_t>(threads) *
               std::max(cross_scratch(w.cross_layout), static_cast<size_t>(w.shape.context))) {}

template <class F>
void ForwardPass::each(int n, F work) {
  const size_t scratch = scratch_.size() / static_cast<size_t>(threads_);
  if (threads_ == 1) {
    for (int i = 0; i < n; i++) work(i, scratch_.data());
    return;
  }
#pragma omp parallel for num_threads(threads_) schedule(static)
  for (int i = 0; i < n; i++) work(i, scratch_.data() + scratch * static_cast<size_t>(omp_get_thread_num()));
}

void ForwardPass::run(const std::vector<ForwardRow>& rows, float* hidden, float* qk, int qk_rows) {
  omp_set_num_threads(threads_);
  for (size_t first = 0; first < rows.size(); first += kMaxRows) {
    const int n = static_cast<int>(std::min<size_t>(kMaxRows, rows.size() - first));
    chunk(rows.data() + first, n, hidden + first * static_cast<size_t>(w_.shape.state), qk, qk_rows);
  }
}

void ForwardPass::chunk(const ForwardRow* rows, int n, float* hidden, float* qk, int qk_rows) {
  const int d = w_.shape.state;
  const auto norm = [&](const NormWeights& w, float* to) {
    for (int r = 0; r < n; r++)
      k_.layer_norm(x_.data() + r * d, w.gamma.data(), w.beta.data(), to + r * d, d);
  };
  for (int r = 0; r < n; r++) {
    const float* token = w_.embedding.data() + static_cast<int64_t>(rows[r].token) * d;
    const float* position = w_.positions.data() + static_cast<int64_t>(rows[r].position) * d;
    for (int i = 0; i < d; i++) x_[static_cast<size_t>(r * d + i)] = token[i] + position[i];
  }
  for (int layer = 0; layer < w_.shape.layers; layer++) {
    const auto& b = w_.blocks[static_cast<size_t>(layer)];
    norm(b.self_norm, normed_.data());
    qkv_.run(b.qkv, normed_.data(), n, wide_.data());
    self_attention(rows, n, layer);
    square_.run_add(b.self_out, attended_.data(), n, x_.data());
    norm(b.cross_norm, normed_.data());
    square_.run(b.cross_q, normed_.data(), n, wide_.data());
    cross_attention(rows, n, layer, qk, qk_rows);
    square_.run_add(b.cross_out, attended_.data(), n, x_.data());
    norm(b.mlp_norm, normed_.data());
    fc1_.run_gelu(b.fc1, normed_.data(), n, wide_.data());
    fc2_.run_add(b.fc2, wide_.data(), n, x_.data());
  }
  norm(w_.final_norm, hidden);
}

void ForwardPass::self_attention(const ForwardRow* rows, int n, int layer) {
  const int d = w_.shape.state, heads = w_.shape.heads;
  for (int r = 0; r < n; r++) {
    const float* qkv = wide_.data() + static_cast<int64_t>(r) * 3 * d;
    std::memcpy(rows[r].sequence->own->key(rows[r].position, layer), qkv + d,
                sizeof(float) * static_cast<size_t>(d));
    std::memcpy(rows[r].sequence->own->value(rows[r].position, layer), qkv + 2 * d,
                sizeof(float) * static_cast<size_t>(d));
  }
  each(n * heads, [&](int i, float* scores) {
    const int r = i / heads, h = i % heads, length = rows[r].position + 1;
    const auto& owner = rows[r].sequence->owner;
    const float* q = wide_.data() + static_cast<int64_t>(r) * 3 * d + h * kHead;
    float* out = attended_.data() + static_cast<int64_t>(r) * d + h * kHead;
    const auto runs = [&](auto work) {  // stretches of positions that one cache holds
      for (int from = 0, to; from < length; from = to) {
        for (to = from + 1;
             to < length && owner[static_cast<size_t>(to)] == owner[static_cast<size_t>(from)];)
          to++;
        work(owner[static_cast<size_t>(from)], from, to - from);
      }
    };
    runs([&](SelfCache* c, int from, int count) {
      k_.key_scores_f32(q, c->key(from, layer) + h * kHead, c->stride(), count, scores + from);
    });
    const float inverse = k_.softmax_f32(scores, scores, length);
    std::memset(out, 0, sizeof(float) * kHead);
    runs([&](SelfCache* c, int from, int count) {
      k_.add_values_f32(scores + from, c->value(from, layer) + h * kHead, c->stride(), count, out);
    });
    for (int j = 0; j < kHead; j++) out[j] *= inverse;
  });
}

// Rows of one window (a prompt, beams) share one pass over its keys and values.
void ForwardPass::cross_attention(const ForwardRow* rows, int n, int layer, float* qk, int qk_rows) {
  const int d = w_.shape.state, heads = w_.shape.heads, frames = w_.shape.frames;
  const auto& wanted = w_.shape.alignment_heads;
  groups_.clear();
  for (int r = 0; r < n; r++)
    if (r == 0 || rows[r].sequence->cross_kv != rows[r - 1].sequence->cross_kv) groups_.push_back(r);
  groups_.push_back(n);
  each(static_cast<int>(groups_.size() - 1) * heads, [&](int i, float* scratch) {
    const int first = groups_[static_cast<size_t>(i / heads)], h = i % heads;
    const int count = groups_[static_cast<size_t>(i / heads) + 1] - first;
    float* scores[kMaxRows] = {};
    const auto at = std::find(wanted.begin(), wanted.end(), std::make_pair(layer, h));
    if (qk != nullptr && at != wanted.end())
      for (int r = 0; r < count; r++)
        if (const int row = rows[first + r].qk_row; row >= 0)
          scores[r] = qk + (static_cast<int64_t>(at - wanted.begin()) * qk_rows + row) * frames;
    const int64_t from = static_cast<int64_t>(first) * d + h * kHead;
    cross_attend(w_.cross_layout, rows[first].sequence->cross_kv, layer, h, wide_.data() + from,
                 attended_.data() + from, d, count, scores, scratch);
  });
}

void ForwardPass::logits(const float* hidden, int n, float* out) {
  omp_set_num_threads(threads_);
  logits_.run(w_.logits, hidden, n, out);
}

}  // namespace amanuensis
