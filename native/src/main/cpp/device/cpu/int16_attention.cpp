#include "device/cpu/int16_attention.h"

#include <algorithm>

#include "device/cpu/matmul.h"

namespace amanuensis {

namespace {
constexpr size_t kHead = 64;
int padded(int rows) { return (rows + 15) / 16 * 16; }
}  // namespace

const Int16Kernel& int16_kernel() {
  if (avx512_vnni_is_native()) return int16_kernel_vnni();
  if (avx_vnni_is_native() && int16_kernel_avx_vnni() != nullptr) return *int16_kernel_avx_vnni();
  return int16_kernel_avx2();
}

Int16Head::Int16Head(int most_rows, const Int16Kernel& kernel)
    : kernel_(&kernel),
      keys_(static_cast<size_t>(padded(most_rows)) * kHead * sizeof(int16_t)),
      offset_(static_cast<size_t>(padded(most_rows))),
      values_(static_cast<size_t>(padded(most_rows)) * kHead) {}

void Int16Head::pack(const float* keys, const float* values, int rows) {
  rows_ = rows;
  padded_ = padded(rows);
  key_scale_ = kernel_->pack_keys(keys, rows, padded_, keys_.data(), offset_.data());
  pack_values(values, rows);
}

// Rows of scores 64 bytes more than a power of two apart would share L1 sets; 16 is enough to spread them.
Int16Attention::Int16Attention(int most_keys, const Int16Kernel& kernel)
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
                         head.offset_.data(),
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
  kernel_.attend(block);
}

}  // namespace amanuensis
