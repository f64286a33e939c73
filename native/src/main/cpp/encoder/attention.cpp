#include "encoder/attention.h"

#include <algorithm>

namespace amanuensis {

namespace {
using Type = Matmul::Type;
constexpr int kHead = 64;
constexpr float kLog2E = 1.44269504f;
}  // namespace

AttentionKind fastest_attention() {
  if (amx_is_usable()) return AttentionKind::kAmx;
  return &row_kernels() != &row_kernels_generic() ? AttentionKind::kInt16 : AttentionKind::kF32;
}

struct AttentionScratch::Products {
  Products(int block, int keys, int state, int context)
      : scores(Type::f32, Type::f32, Type::f32, block, kHead, keys, kHead, context,
               Matmul::Layout::kPlainRows),
        values(Type::f32, Type::f32, Type::f32, block, keys, kHead, context, state) {}
  Matmul scores, values;
};

AttentionScratch::AttentionScratch(AttentionKind kind, int context, int heads, int block)
    : context_(context), state_(heads * kHead), block_(block) {
  if (kind == AttentionKind::kInt16) int16_ = std::make_unique<Int16Attention>(context);
  if (kind == AttentionKind::kAmx) amx_ = std::make_unique<AmxAttention>();
  if (kind != AttentionKind::kF32) return;
  const auto square = static_cast<size_t>(block) * static_cast<size_t>(context);
  scores_ = AlignedArray<float>(square);
  probabilities_ = AlignedArray<float>(square);
  inverse_ = AlignedArray<float>(static_cast<size_t>(block));
}
AttentionScratch::~AttentionScratch() = default;

AttentionScratch::Products& AttentionScratch::products(int keys) {
  auto& p = products_[keys];
  if (!p) p = std::make_unique<Products>(block_, keys, state_, context_);
  return *p;
}

SelfAttention::SelfAttention(AttentionKind kind, int context, int heads, int block)
    : kind_(kind), context_(context), heads_(heads), block_(block), k_(row_kernels()) {
  const auto elements = static_cast<size_t>(context) * static_cast<size_t>(heads) * kHead;
  q_ = AlignedArray<float>(elements);
  keys_ = AlignedArray<float>(elements);
  values_ = AlignedArray<float>(elements);
  for (int h = 0; h < heads; h++) {
    if (kind == AttentionKind::kInt16) int16_heads_.emplace_back(context);
    if (kind == AttentionKind::kAmx) amx_heads_.emplace_back(context);
  }
}

void SelfAttention::begin(const KeptRows& rows) {
  rows_ = rows;
  weights_.clear();
  if (rows.all()) return;
  if (kind_ != AttentionKind::kAmx)
    rows.log_weights(kind_ == AttentionKind::kInt16 ? kLog2E : 1.0f, weights_);
  else
    for (int r = 0; r < rows.rows(); r++) weights_.push_back(static_cast<float>(rows.weight(r)));
}

void SelfAttention::run(const Each& each, float* out) {
  switch (kind_) {
    case AttentionKind::kAmx:
      return run_amx(each, out);
    case AttentionKind::kInt16:
      return run_int16(each, out);
    case AttentionKind::kF32:
      return run_f32(each, out);
  }
}

void SelfAttention::run_f32(const Each& each, float* out) {
  const int keys = rows_.rows(), state = heads_ * kHead;
  each(1, [&](AttentionScratch& s, int) {
    head_bytes_ = (s.products(keys).values.packed_bytes() + 63) / 64 * 64;
  });
  const size_t needed = head_bytes_ * static_cast<size_t>(heads_);
  if (packed_values_.size() < needed) packed_values_ = AlignedArray<uint8_t>(needed);
  each(heads_, [&](AttentionScratch& s, int h) {
    s.products(keys).values.pack_columns(value(h, 0),
                                         packed_values_.data() + static_cast<size_t>(h) * head_bytes_);
  });
  const int per_head = keys / block_;
  each(heads_ * per_head, [&](AttentionScratch& s, int i) {
    AttentionScratch::Products& p = s.products(keys);
    const int h = i / per_head, first = i % per_head * block_;
    float *scores = s.scores_.data(), *probabilities = s.probabilities_.data();
    p.scores.run(query(h, first), key(h, 0), scores);
    for (int r = 0; r < block_; r++) {
      float* row = scores + static_cast<size_t>(r) * context_;
      if (!weights_.empty())
        for (int t = rows_.dense(); t < keys; t++) row[t] += weights_[static_cast<size_t>(t)];
      s.inverse_[r] = k_.softmax_f32(row, probabilities + static_cast<size_t>(r) * context_, keys);
    }
    float* o = out + static_cast<size_t>(first) * state + h * kHead;
    p.values.run(probabilities, packed_values_.data() + static_cast<size_t>(h) * head_bytes_, o);
    for (int r = 0; r < block_; r++)
      for (int j = 0; j < kHead; j++) o[static_cast<size_t>(r) * state + j] *= s.inverse_[r];
  });
}

void SelfAttention::run_int16(const Each& each, float* out) {
  const int state = heads_ * kHead;
  each(heads_, [&](AttentionScratch&, int h) {
    int16_heads_[static_cast<size_t>(h)].pack(key(h, 0), value(h, 0), rows_.rows());
  });
  const float* weights = weights_.empty() ? nullptr : weights_.data();
  const int per_head = (rows_.rows() + Int16Attention::kRows - 1) / Int16Attention::kRows;
  each(heads_ * per_head, [&](AttentionScratch& s, int i) {
    const int h = i / per_head, first = i % per_head * Int16Attention::kRows;
    s.int16_->attend(int16_heads_[static_cast<size_t>(h)], weights, query(h, first), kHead,
                     std::min(Int16Attention::kRows, rows_.rows() - first),
                     out + static_cast<size_t>(first) * state + h * kHead, state);
  });
}

void SelfAttention::run_amx(const Each& each, float* out) {
  const int state = heads_ * kHead;
  const float* weights = weights_.empty() ? nullptr : weights_.data();
  each(heads_, [&](AttentionScratch&, int h) {
    amx_heads_[static_cast<size_t>(h)].pack(key(h, 0), value(h, 0), weights, rows_.rows());
  });
  const int per_head = (rows_.rows() + AmxAttention::kRows - 1) / AmxAttention::kRows;
  each(heads_ * per_head, [&](AttentionScratch& s, int i) {
    const int h = i / per_head, first = i % per_head * AmxAttention::kRows;
    s.amx_->attend(amx_heads_[static_cast<size_t>(h)], query(h, first),
                   std::min(AmxAttention::kRows, rows_.rows() - first),
                   out + static_cast<size_t>(first) * state + h * kHead, state);
  });
}

}  // namespace amanuensis
