#include "encoder/attention.h"

#include <algorithm>

namespace amanuensis {

namespace {
using Type = Matmul::Type;
constexpr int kHead = 64;
constexpr float kLog2E = 1.44269504f;
Type type(AttentionKind kind) { return kind == AttentionKind::kBf16 ? Type::bf16 : Type::f32; }
}  // namespace

struct AttentionScratch::Products {
  Products(AttentionKind kind, int block, int keys, int state, int context)
      : scores(type(kind), type(kind), Type::f32, block, kHead, keys, state, context,
               Matmul::Layout::kPlainRows),
        values(type(kind), type(kind), Type::f32, block, keys, kHead, context, state) {}
  Matmul scores, values;
};

AttentionScratch::AttentionScratch(AttentionKind kind, int context, int heads, int block)
    : kind_(kind), context_(context), heads_(heads), block_(block) {
  if (kind == AttentionKind::kInt16) {
    int16_ = std::make_unique<Int16Attention>(context);
    return;
  }
  const auto square = static_cast<size_t>(block) * static_cast<size_t>(context);
  scores_ = AlignedArray<float>(square);
  probabilities_ = AlignedArray<uint8_t>(square * (kind == AttentionKind::kBf16 ? 2 : 4));
  inverse_ = AlignedArray<float>(static_cast<size_t>(block));
}
AttentionScratch::~AttentionScratch() = default;

AttentionScratch::Products& AttentionScratch::products(int keys) {
  auto& p = products_[keys];
  if (!p) p = std::make_unique<Products>(kind_, block_, keys, heads_ * kHead, context_);
  return *p;
}

SelfAttention::SelfAttention(AttentionKind kind, int context, int heads, int block)
    : kind_(kind), context_(context), heads_(heads), block_(block), k_(row_kernels()) {
  const auto elements = static_cast<size_t>(context) * static_cast<size_t>(heads) * kHead;
  const size_t bytes = elements * (kind == AttentionKind::kBf16 ? 2 : 4);
  q_ = AlignedArray<uint8_t>(bytes);
  keys_ = AlignedArray<uint8_t>(bytes);
  values_ = AlignedArray<uint8_t>(bytes);
  if (kind == AttentionKind::kInt16)
    for (int h = 0; h < heads; h++) packed_heads_.emplace_back(context);
}

void SelfAttention::begin(const KeptRows& rows) {
  rows_ = rows;
  log_weights_.clear();
  if (!rows.all()) rows.log_weights(kind_ == AttentionKind::kInt16 ? kLog2E : 1.0f, log_weights_);
}

void SelfAttention::run(const Each& each, float* out) {
  if (kind_ == AttentionKind::kInt16) return run_int16(each, out);
  if (kind_ == AttentionKind::kBf16) return run_blocks<uint16_t>(each, out);
  run_blocks<float>(each, out);
}

template <class T>
void SelfAttention::run_blocks(const Each& each, float* out) {
  const int keys = rows_.rows(), state = heads_ * kHead;
  each(1, [&](AttentionScratch& s, int) {
    head_bytes_ = (s.products(keys).values.packed_bytes() + 63) / 64 * 64;
  });
  const size_t needed = head_bytes_ * static_cast<size_t>(heads_);
  if (packed_values_.size() < needed) packed_values_ = AlignedArray<uint8_t>(needed);
  each(heads_, [&](AttentionScratch& s, int h) {
    s.products(keys).values.pack_columns(value<T>(h, 0),
                                         packed_values_.data() + static_cast<size_t>(h) * head_bytes_);
  });
  const int per_head = keys / block_;
  each(heads_ * per_head, [&](AttentionScratch& s, int i) {
    AttentionScratch::Products& p = s.products(keys);
    const int h = i / per_head, first = i % per_head * block_;
    float* scores = s.scores_.data();
    T* probabilities = reinterpret_cast<T*>(s.probabilities_.data());
    p.scores.run(queries<T>() + static_cast<size_t>(first) * state + h * kHead, key<T>(h, 0), scores);
    for (int r = 0; r < block_; r++) {
      float* row = scores + static_cast<size_t>(r) * context_;
      if (!log_weights_.empty())
        for (int t = rows_.dense(); t < keys; t++) row[t] += log_weights_[static_cast<size_t>(t)];
      s.inverse_[r] = k_.softmax(row, probabilities + static_cast<size_t>(r) * context_, keys);
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
    packed_heads_[static_cast<size_t>(h)].pack(key<float>(h, 0), value<float>(h, 0), rows_.rows());
  });
  const float* weights = log_weights_.empty() ? nullptr : log_weights_.data();
  const int per_head = (rows_.rows() + Int16Attention::kRows - 1) / Int16Attention::kRows;
  each(heads_ * per_head, [&](AttentionScratch& s, int i) {
    const int h = i / per_head, first = i % per_head * Int16Attention::kRows;
    const auto at = static_cast<size_t>(first) * state + h * kHead;
    s.int16_->attend(packed_heads_[static_cast<size_t>(h)], weights, queries<float>() + at, state,
                     std::min(Int16Attention::kRows, rows_.rows() - first), out + at, state);
  });
}

}  // namespace amanuensis
