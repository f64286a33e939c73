#include "encoder/attention.h"

#include <algorithm>

namespace amanuensis {

namespace {
using Type = Matmul::Type;
constexpr int kHead = 64;
constexpr float kLog2E = 1.44269504f;
Type type(AttentionKind kind) { return kind == AttentionKind::kBf16 ? Type::bf16 : Type::f32; }
}  // namespace

struct SelfAttention::Products {
  Products(AttentionKind kind, int block, int keys, int state, int context)
      : scores(type(kind), type(kind), Type::f32, block, kHead, keys, state, context,
               Matmul::Layout::kPlainRows),
        values(type(kind), type(kind), Type::f32, block, keys, kHead, context, state) {}
  Matmul scores, values;
};

struct SelfAttention::Workspace {
  std::map<int, std::unique_ptr<Products>> products;  // by number of keys; made when first needed
  AlignedArray<float> scores;                         // block x context
  AlignedArray<uint8_t> probabilities;                // block x context of T
  AlignedArray<float> inverse;                        // block
  std::unique_ptr<Int16Attention> int16;
};

SelfAttention::SelfAttention(AttentionKind kind, int context, int heads, int block, const Team& team)
    : kind_(kind), context_(context), heads_(heads), block_(block), team_(team), k_(row_kernels()) {
  const auto elements = static_cast<size_t>(context) * static_cast<size_t>(heads) * kHead;
  const size_t bytes = elements * (kind == AttentionKind::kBf16 ? 2 : 4);
  q_ = AlignedArray<uint8_t>(bytes);
  keys_ = AlignedArray<uint8_t>(bytes);
  values_ = AlignedArray<uint8_t>(bytes);
  const auto square = static_cast<size_t>(block) * static_cast<size_t>(context);
  for (int i = 0; i < team.threads(); i++) {
    auto w = std::make_unique<Workspace>();
    if (kind == AttentionKind::kInt16) {
      w->int16 = std::make_unique<Int16Attention>(context);
    } else {
      w->scores = AlignedArray<float>(square);
      w->probabilities = AlignedArray<uint8_t>(square * (kind == AttentionKind::kBf16 ? 2 : 4));
      w->inverse = AlignedArray<float>(static_cast<size_t>(block));
    }
    workspaces_.push_back(std::move(w));
  }
  if (kind == AttentionKind::kInt16)
    for (int h = 0; h < heads; h++) packed_heads_.emplace_back(context);
  begin({context, context, 1, context});
}
SelfAttention::~SelfAttention() = default;

void SelfAttention::begin(const KeptRows& rows) {
  rows_ = rows;
  log_weights_.clear();
  if (!rows.all()) rows.log_weights(kind_ == AttentionKind::kInt16 ? kLog2E : 1.0f, log_weights_);
  if (kind_ == AttentionKind::kInt16) return;
  for (auto& w : workspaces_) products(*w);  // made here, not inside a parallel region
  packed_bytes_ = (products(*workspaces_[0]).values.packed_bytes() + 63) / 64 * 64;
  const size_t needed = packed_bytes_ * static_cast<size_t>(heads_);
  if (packed_values_.size() < needed) packed_values_ = AlignedArray<uint8_t>(needed);
}

SelfAttention::Products& SelfAttention::products(Workspace& w) {
  auto& p = w.products[rows_.rows];
  if (!p) p = std::make_unique<Products>(kind_, block_, rows_.rows, heads_ * kHead, context_);
  return *p;
}

void SelfAttention::run(float* out) {
  if (kind_ == AttentionKind::kInt16) return run_int16(out);
  if (kind_ == AttentionKind::kBf16) return run_blocks<uint16_t>(out);
  run_blocks<float>(out);
}

template <class T>
void SelfAttention::run_blocks(float* out) {
  const int keys = rows_.rows, state = heads_ * kHead;
  team_.each(heads_, [&](int thread, int h) {
    products(*workspaces_[static_cast<size_t>(thread)])
        .values.pack_columns(value<T>(h, 0), packed_values_.data() + static_cast<size_t>(h) * packed_bytes_);
  });
  const int per_head = keys / block_;
  team_.each(heads_ * per_head, [&](int thread, int i) {
    Workspace& w = *workspaces_[static_cast<size_t>(thread)];
    Products& p = products(w);
    const int h = i / per_head, first = i % per_head * block_;
    float* scores = w.scores.data();
    T* probabilities = reinterpret_cast<T*>(w.probabilities.data());
    p.scores.run(queries<T>() + static_cast<size_t>(first) * state + h * kHead, key<T>(h, 0), scores);
    for (int r = 0; r < block_; r++) {
      float* row = scores + static_cast<size_t>(r) * context_;
      if (!log_weights_.empty())
        for (int t = rows_.dense; t < keys; t++) row[t] += log_weights_[static_cast<size_t>(t)];
      w.inverse.data()[r] = k_.softmax(row, probabilities + static_cast<size_t>(r) * context_, keys);
    }
    float* o = out + static_cast<size_t>(first) * state + h * kHead;
    p.values.run(probabilities, packed_values_.data() + static_cast<size_t>(h) * packed_bytes_, o);
    for (int r = 0; r < block_; r++)
      for (int j = 0; j < kHead; j++) o[static_cast<size_t>(r) * state + j] *= w.inverse.data()[r];
  });
}

void SelfAttention::run_int16(float* out) {
  const int state = heads_ * kHead;
  team_.each(heads_, [&](int, int h) {
    packed_heads_[static_cast<size_t>(h)].pack(key<float>(h, 0), value<float>(h, 0), rows_.rows);
  });
  const float* weights = log_weights_.empty() ? nullptr : log_weights_.data();
  const int per_head = (rows_.rows + Int16Attention::kRows - 1) / Int16Attention::kRows;
  team_.each(heads_ * per_head, [&](int thread, int i) {
    const int h = i / per_head, first = i % per_head * Int16Attention::kRows;
    const auto at = static_cast<size_t>(first) * state + h * kHead;
    workspaces_[static_cast<size_t>(thread)]->int16->attend(
        packed_heads_[static_cast<size_t>(h)], weights, queries<float>() + at, state,
        std::min(Int16Attention::kRows, rows_.rows - first), out + at, state);
  });
}

}  // namespace amanuensis
