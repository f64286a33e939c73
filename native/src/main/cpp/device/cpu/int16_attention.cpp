#include "device/cpu/int16_attention.h"

#include <algorithm>

namespace amanuensis {

namespace {
constexpr size_t kHead = 64;
int padded(int rows) { return (rows + 15) / 16 * 16; }
}  // namespace

Int16Head::Int16Head(int most_rows)
    : keys_(static_cast<size_t>(padded(most_rows)) * kHead),
      values_(static_cast<size_t>(padded(most_rows)) * kHead) {}

// Rows of scores 64 bytes more than a power of two apart would share L1 sets; 16 is enough to spread them.
Int16Attention::Int16Attention(int most_keys)
    : stride_(padded(most_keys)),
      q_(kRows * kHead),
      scores_(static_cast<size_t>(kRows * stride_)),
      sums_(kRows * kHead) {
  std::fill(q_.data(), q_.data() + q_.size(), int16_t{0});
}

}  // namespace amanuensis
