#include "device/cpu/int16_attention.h"

#include <algorithm>

#include "device/cpu/matmul.h"

namespace amanuensis {

namespace {
constexpr size_t kHead = 64;
int padded(int rows) { return (rows + 15) / 16 * 16; }
}  // namespace

Int16Kernel int16_kernel() { return avx512_vnni_is_native() ? int16_attend_avx512 : int16_attend_avx2; }

Int16Head::Int16Head(int most_rows)
    : keys_(static_cast<size_t>(padded(most_rows)) * kHead),
      values_(static_cast<size_t>(padded(most_rows)) * kHead) {}

// Rows of scores 64 bytes more than a power of two apart would share L1 sets; 16 is enough to spread them.
Int16Attention::Int16Attention(int most_keys, Int16Kernel kernel)
    : kernel_(kernel),
      stride_(padded(most_keys)),
      q_(kRows * kHead),
      scores_(static_cast<size_t>(kRows * stride_)),
      sums_(kRows * kHead) {
  std::fill(q_.data(), q_.data() + q_.size(), int16_t{0});
}

void Int16Attention::attend(const Int16Head& head, const float* log2_weights, const float* queries,
                            int64_t q_stride, int rows, float* out, int64_t out_stride) {
  const Int16Block block{head.rows_,
                         head.padded_,
                         head.keys_.data(),
                         head.values_.data(),
                         head.key_scale_,
                         head.value_scale_,
                         log2_weights,
                         q_.data(),
                         scores_.data(),
                         stride_,
                         sums_.data(),
                         queries,
                         q_stride,
                         rows,
                         out,
                         out_stride};
  kernel_(block);
}

}  // namespace amanuensis
