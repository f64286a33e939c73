#include "decoder/cross_kv.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "decoder/step_kernels.h"

namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kBlock = 64;  // rows in a piece of work
constexpr int kRows = StepKernels::kRows;
constexpr int kMost = StepKernels::kMostQueries;
size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }
int padded(int rows) { return (rows + kRows - 1) / kRows * kRows; }
}  // namespace

CrossKvLayout::CrossKvLayout(Arithmetic arithmetic, int layers, int heads, int frames)
    : arithmetic_(arithmetic), layers_(layers), heads_(heads), frames_(frames), padded_(padded(frames)) {
  const size_t element = arithmetic == Arithmetic::kInt8 ? 1 : 4;
  const size_t scales = arithmetic == Arithmetic::kInt8 ? aligned(static_cast<size_t>(padded_) * 4) : 0;
  heads_at_ = aligned(sizeof(Header) + static_cast<size_t>(padded_) * 4);
  values_at_ = aligned(static_cast<size_t>(padded_) * kHead * element);
  key_scales_at_ = values_at_ * 2;
  value_scales_at_ = key_scales_at_ + scales;
  head_bytes_ = value_scales_at_ + scales;
}

void CrossKvLayout::begin(void* kv, int rows, const float* log_weights) const {
  auto* header = static_cast<Header*>(kv);
  *header = {rows, log_weights != nullptr, {}};
  auto* to = const_cast<float*>(bias(kv));
  std::fill_n(to, padded_, 0.0f);
  if (log_weights != nullptr) std::copy_n(log_weights, rows, to);
}

CrossKvScratch::CrossKvScratch(const LinearWeights& w)
    : runner_(w.arithmetic, w.k, w.n, kBlock), rows_(static_cast<size_t>(kBlock * w.n)) {}

CrossKvHelpers::CrossKvHelpers(const LinearWeights& weights, IdleCores& idle) : cores(idle) {
  for (int i = 1; i < idle.threads(); i++) scratch.emplace_back(weights);
}

CrossKvWriter::CrossKvWriter(const CrossKvLayout& layout, const std::vector<LinearWeights>& weights,
                             std::shared_ptr<CrossKvHelpers> helpers)
    : layout_(layout),
      weights_(weights),
      helpers_(std::move(helpers)),
      own_(weights.front()),
      quantised_(static_cast<size_t>(weights.front().k)),
      sums_(static_cast<size_t>(weights.front().n)),
      row_scale_(static_cast<size_t>(layout.frames())) {}

void CrossKvWriter::write_on_device(const float* states, int rows, void* kv, GemmLane& gemm) {
  const RowKernels& kernels = row_kernels();
  const auto k = static_cast<int>(weights_.front().k), n = static_cast<int>(weights_.front().n);
  for (size_t layer = 0; layer < weights_.size(); layer++) {
    const LinearWeights& w = weights_[layer];
    gemm.begin(w, rows);
    for (int r = 0; r < rows; r++) {
      row_scale_[static_cast<size_t>(r)] =
          kernels.quantise(states + static_cast<size_t>(r) * k, quantised_.data(), k);
      gemm.put(r, quantised_.data());
    }
    gemm.run();
    for (int r = 0; r < rows; r++) {
      kernels.dequantise_f32(gemm.sums(r, sums_.data()), row_scale_[static_cast<size_t>(r)], w.scale.data(),
                             w.bias.data(), own_.rows_.data(), n);
      store_row(own_.rows_.data(), static_cast<int>(layer), r, kv);
    }
    gemm.finish();
  }
}

void CrossKvWriter::write(const float* states, int rows, const float* log_weights, void* kv, GemmLane* gemm) {
  use_threads(1);  // oneDNN's calls stay on the thread that makes them
  layout_.begin(kv, rows, log_weights);
  const bool int8 = layout_.arithmetic() == Arithmetic::kInt8;
  const WindowPart on_device(int8 ? gemm : nullptr, GemmLane::Part::kCrossKv);
  if (on_device)
    write_on_device(states, rows, kv, *gemm);
  else
    write_here(states, rows, kv);
  if (int8) clear_padding(rows, kv);
}

void CrossKvWriter::write_here(const float* states, int rows, void* kv) {
  const int64_t k = weights_.front().k, n = weights_.front().n;
  const int blocks = (rows + kBlock - 1) / kBlock, pieces = blocks * static_cast<int>(weights_.size());
  const auto piece = [&](int i, CrossKvScratch& s) {
    const int layer = i / blocks, first = i % blocks * kBlock, here = std::min(kBlock, rows - first);
    s.runner_.run(weights_[static_cast<size_t>(layer)], states + first * k, here, s.rows_.data());
    for (int r = 0; r < here; r++) store_row(s.rows_.data() + r * n, layer, first + r, kv);
  };
  if (helpers_ == nullptr) {
    for (int i = 0; i < pieces; i++) piece(i, own_);
    return;
  }
  helpers_->cores.each(pieces, [&](int i, int thread) {
    piece(i, thread == 0 ? own_ : helpers_->scratch[static_cast<size_t>(thread) - 1]);
  });
}

// values: what the projection made of a state, [k; v].
void CrossKvWriter::store_row(const float* values, int layer, int row, void* kv) const {
  const RowKernels& k = row_kernels();
  const int heads = layout_.heads();
  const auto t = static_cast<size_t>(row);
  for (int h = 0; h < heads; h++) {
    uint8_t* head = layout_.head(kv, layer, h);
    const float* key = values + h * kHead;
    const float* value = values + (heads + h) * kHead;
    if (layout_.arithmetic() == Arithmetic::kF32) {
      std::memcpy(head + t * kHead * 4, key, kHead * 4);
      std::memcpy(head + layout_.values_at() + t * kHead * 4, value, kHead * 4);
      continue;
    }
    int8_t q[kHead];
    reinterpret_cast<float*>(head + layout_.key_scales_at())[t] = k.quantise(key, q, kHead);
    uint8_t* keys = head + t / kRows * kRows * kHead + t % kRows * 2;
    for (int d = 0; d < kHead; d += 2) std::memcpy(keys + d * kRows, q + d, 2);
    reinterpret_cast<float*>(head + layout_.value_scales_at())[t] = k.quantise(value, q, kHead);
    auto* pairs = reinterpret_cast<int8_t*>(head + layout_.values_at()) + t / 2 * 2 * kHead + t % 2;
    for (int d = 0; d < kHead; d++) pairs[d * 2] = q[d];
  }
}

void CrossKvWriter::clear_padding(int rows, void* kv) const {
  const int8_t zero[2] = {};
  const auto from = static_cast<size_t>(rows), to = static_cast<size_t>(padded(rows));
  const int heads = layout_.heads();
  for (int i = 0; i < static_cast<int>(weights_.size()) * heads; i++) {
    uint8_t* head = layout_.head(kv, i / heads, i % heads);
    for (size_t t = from; t < to; t++) {
      reinterpret_cast<float*>(head + layout_.key_scales_at())[t] = 0;
      reinterpret_cast<float*>(head + layout_.value_scales_at())[t] = 0;
      uint8_t* keys = head + t / kRows * kRows * kHead + t % kRows * 2;
      uint8_t* values = head + layout_.values_at() + t / 2 * 2 * kHead + t % 2;
      for (int d = 0; d < kHead; d += 2) std::memcpy(keys + d * kRows, zero, 2);
      for (int d = 0; d < kHead; d++) values[d * 2] = 0;
    }
  }
}

size_t cross_scratch(const CrossKvLayout& layout) {
  return static_cast<size_t>(layout.padded_frames()) * kMost;
}

namespace {
void attend_f32(const CrossKvLayout& layout, const void* kv, const uint8_t* head, const float* q,
                float* scratch, float* qk, int qk_rows, float* out) {
  const RowKernels& k = row_kernels();
  const int n = CrossKvLayout::rows(kv);
  k.key_scores_f32(q, reinterpret_cast<const float*>(head), kHead, n, scratch);
  if (CrossKvLayout::weighted(kv))
    for (int t = 0; t < n; t++) scratch[t] += CrossKvLayout::bias(kv)[t];
  if (qk != nullptr) std::memcpy(qk, scratch, sizeof(float) * static_cast<size_t>(qk_rows));
  const float inverse = k.softmax_f32(scratch, scratch, n);
  std::memset(out, 0, sizeof(float) * kHead);
  k.add_values_f32(scratch, reinterpret_cast<const float*>(head + layout.values_at()), kHead, n, out);
  for (int i = 0; i < kHead; i++) out[i] *= inverse;
}

// Up to kMost queries share one pass over keys and values.
void attend_int8(const CrossKvLayout& layout, const void* kv, const uint8_t* head, const float* q, float* out,
                 int64_t stride, int queries, float* const* qk, int qk_rows, float* scratch) {
  const StepKernels& k = step_kernels();
  const int n = CrossKvLayout::rows(kv), all = padded(n), apart = layout.padded_frames();
  alignas(64) int16_t narrow[kMost * kHead];
  float scale[kMost], inverse[kMost];
  float* to[kMost];
  for (int i = 0; i < queries; i++) {
    scale[i] = k.quantise(q + i * stride, narrow + i * kHead, kHead, 32767.0f);
    to[i] = out + i * stride;
  }
  k.key_scores(narrow, scale, queries, reinterpret_cast<const int8_t*>(head),
               reinterpret_cast<const float*>(head + layout.key_scales_at()), CrossKvLayout::bias(kv), all,
               scratch, apart);
  for (int i = 0; i < queries; i++) {
    float* scores = scratch + i * apart;
    if (qk != nullptr && qk[i] != nullptr)
      std::memcpy(qk[i], scores, sizeof(float) * static_cast<size_t>(qk_rows));
    inverse[i] = row_kernels().softmax_f32(scores, scores, n);
    std::fill(scores + n, scores + all, 0.0f);
  }
  k.values(scratch, apart, queries, reinterpret_cast<const int8_t*>(head + layout.values_at()),
           reinterpret_cast<const float*>(head + layout.value_scales_at()), all, to);
  for (int i = 0; i < queries; i++)
    for (int j = 0; j < kHead; j++) to[i][j] *= inverse[i];
}
}  // namespace

void cross_attend(const CrossKvLayout& layout, const void* kv, int layer, int h, const float* q, float* out,
                  int64_t stride, int queries, float* const* qk, int qk_rows, float* scratch) {
  const uint8_t* head = layout.head(kv, layer, h);
  const bool f32 = layout.arithmetic() == Arithmetic::kF32;
  const int step = f32 ? 1 : kMost;
  for (int i = 0; i < queries; i += step) {
    if (f32)
      attend_f32(layout, kv, head, q + i * stride, scratch, qk == nullptr ? nullptr : qk[i], qk_rows,
                 out + i * stride);
    else
      attend_int8(layout, kv, head, q + i * stride, out + i * stride, stride, std::min(step, queries - i),
                  qk == nullptr ? nullptr : qk + i, qk_rows, scratch);
  }
}

}  // namespace amanuensis
