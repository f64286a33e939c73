#include "device/cpu/amx_attention.h"

namespace amanuensis {

namespace {
constexpr size_t kHead = 64;
size_t padded(int rows) {
  return static_cast<size_t>((rows + AmxBlock::kStep - 1) / AmxBlock::kStep * AmxBlock::kStep);
}
}  // namespace

AmxHead::AmxHead(int most_rows)
    : keys_(padded(most_rows) * kHead), values_(padded(most_rows) * kHead), weights_(padded(most_rows)) {}

void AmxHead::pack(const float* keys, const float* values, const float* weights, int rows) {
  view_ = {rows, static_cast<int>(padded(rows)), keys_.data(), values_.data(), weights_.data(), 0, 0};
  amx_attention_kernel()->pack(view_, keys, values, weights);
}

AmxAttention::AmxAttention()
    : q_(kRows * kHead),
      scores_(2 * kRows * AmxBlock::kStep),
      probabilities_(2 * AmxBlock::kChunk * kRows),
      sums_(kRows * kHead) {}

void AmxAttention::attend(const AmxHead& head, const float* queries, int rows, float* out,
                          int64_t out_stride) {
  amx_attention_kernel()->attend(head.view_, {q_.data(), scores_.data(), probabilities_.data(), sums_.data(),
                                              queries, rows, out, out_stride});
}

}  // namespace amanuensis
