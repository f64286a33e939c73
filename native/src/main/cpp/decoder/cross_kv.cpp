#include "decoder/cross_kv.h"

#include <algorithm>
#include <cstring>

namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr int kBlock = 64;
constexpr int kFrameBlock = 16;
size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }
}  // namespace

CrossKvLayout::CrossKvLayout(Arithmetic arithmetic, int layers, int heads, int frames)
    : arithmetic_(arithmetic),
      layers_(layers),
      heads_(heads),
      frames_(frames),
      padded_((frames + kFrameBlock - 1) / kFrameBlock * kFrameBlock) {
  const size_t element = arithmetic == Arithmetic::kInt8 ? 1 : 4;
  const size_t scales = arithmetic == Arithmetic::kInt8 ? aligned(static_cast<size_t>(padded_) * 4) : 0;
  values_at_ = aligned(static_cast<size_t>(padded_) * kHead * element);
  key_scales_at_ = values_at_ * 2;
  value_scales_at_ = key_scales_at_ + scales;
  head_bytes_ = value_scales_at_ + scales;
}

CrossKvWriter::CrossKvWriter(const CrossKvLayout& layout, const std::vector<LinearWeights>& weights,
                             int heads)
    : layout_(layout),
      weights_(weights),
      heads_(heads),
      runner_(weights.front().arithmetic, weights.front().k, weights.front().n, kBlock),
      rows_(static_cast<size_t>(kBlock) * static_cast<size_t>(weights.front().n)),
      quantised_(static_cast<size_t>(weights.front().k)),
      sums_(static_cast<size_t>(weights.front().n)),
      row_scale_(static_cast<size_t>(layout.frames())) {}

void CrossKvWriter::write_on_device(const float* states, void* kv, GemmLane& gemm) {
  const RowKernels& kernels = row_kernels();
  const auto k = static_cast<int>(weights_.front().k), n = static_cast<int>(weights_.front().n);
  for (size_t layer = 0; layer < weights_.size(); layer++) {
    const LinearWeights& w = weights_[layer];
    gemm.begin(w, layout_.frames());
    for (int r = 0; r < layout_.frames(); r++) {
      row_scale_[static_cast<size_t>(r)] =
          kernels.quantise(states + static_cast<size_t>(r) * k, quantised_.data(), k);
      gemm.put(r, quantised_.data());
    }
    gemm.run();
    for (int r = 0; r < layout_.frames(); r++) {
      kernels.dequantise_f32(gemm.sums(r, sums_.data()), row_scale_[static_cast<size_t>(r)], w.scale.data(),
                             w.bias.data(), rows_.data(), n);
      store_row(rows_.data(), static_cast<int>(layer), r, kv);
    }
  }
}

void CrossKvWriter::write(const float* states, void* kv, GemmLane* gemm) {
  const WindowPart on_device(layout_.arithmetic() == Arithmetic::kInt8 ? gemm : nullptr,
                             GemmLane::Part::kCrossKv);
  if (on_device) return write_on_device(states, kv, *gemm);
  const int64_t k = weights_.front().k, n = weights_.front().n;
  for (size_t layer = 0; layer < weights_.size(); layer++)
    for (int first = 0; first < layout_.frames(); first += kBlock) {
      const int here = std::min(kBlock, layout_.frames() - first);
      runner_.run(weights_[layer], states + first * k, here, rows_.data());
      for (int r = 0; r < here; r++) store_row(rows_.data() + r * n, static_cast<int>(layer), first + r, kv);
    }
}

void CrossKvWriter::store_row(const float* row, int layer, int frame, void* kv) const {
  const RowKernels& k = row_kernels();
  const auto t = static_cast<size_t>(frame);
  for (int h = 0; h < heads_; h++) {
    uint8_t* head = layout_.head(kv, layer, h);
    const float* key = row + h * kHead;
    const float* value = row + (heads_ + h) * kHead;
    if (layout_.arithmetic() == Arithmetic::kF32) {
      std::memcpy(head + t * kHead * 4, key, kHead * 4);
      std::memcpy(head + layout_.values_at() + t * kHead * 4, value, kHead * 4);
      continue;
    }
    int8_t q[kHead];
    reinterpret_cast<float*>(head + layout_.key_scales_at())[t] = k.quantise(key, q, kHead);
    auto* keys = reinterpret_cast<int8_t*>(head) + t / kFrameBlock * kFrameBlock * kHead + t % kFrameBlock;
    for (int d = 0; d < kHead; d++) keys[d * kFrameBlock] = q[d];
    auto* values = reinterpret_cast<int8_t*>(head + layout_.values_at()) + t * kHead;
    reinterpret_cast<float*>(head + layout_.value_scales_at())[t] = k.quantise(value, values, kHead);
  }
}

void cross_attend(const CrossKvLayout& layout, const uint8_t* head, const float* q, float* scratch, float* qk,
                  float* out) {
  const RowKernels& k = row_kernels();
  const int n = layout.frames();
  const bool int8 = layout.arithmetic() == Arithmetic::kInt8;
  if (int8)
    k.key_scores_int8(q, reinterpret_cast<const int8_t*>(head),
                      reinterpret_cast<const float*>(head + layout.key_scales_at()), n, scratch);
  else
    k.key_scores_f32(q, reinterpret_cast<const float*>(head), kHead, n, scratch);
  if (qk != nullptr) std::memcpy(qk, scratch, sizeof(float) * static_cast<size_t>(n));
  const float inverse = k.softmax_f32(scratch, scratch, n);
  if (int8) {
    k.values_int8(scratch, reinterpret_cast<const int8_t*>(head + layout.values_at()),
                  reinterpret_cast<const float*>(head + layout.value_scales_at()), n, out);
  } else {
    std::memset(out, 0, sizeof(float) * kHead);
    k.add_values_f32(scratch, reinterpret_cast<const float*>(head + layout.values_at()), kHead, n, out);
  }
  for (int i = 0; i < kHead; i++) out[i] *= inverse;
}

}  // namespace amanuensis
