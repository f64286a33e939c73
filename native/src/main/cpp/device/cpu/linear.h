// y = x W^T + b for a handful of rows: the projections of the decoder, in f32 or int8.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"

namespace amanuensis {

/// How the GEMMs of a profile compute.
enum class Arithmetic { kF32, kInt8 };

/// Immutable packed weights; shared by all threads.
struct LinearWeights {
  Arithmetic arithmetic = Arithmetic::kF32;
  int64_t k = 0, n = 0;
  AlignedArray<uint8_t> packed;  // int8 or f32 in the kernel's layout
  AlignedArray<float> scale;     // int8: one per output
  AlignedArray<int32_t> offset;  // StepKernels::linear's
  AlignedArray<float> sums;      // int8: of each output's weights, times scale: for RowKernels::shift_bias
  AlignedArray<float> bias;      // n, zeros where the model has none
  uint64_t id = 0;               // of weights that kept their plain rows: unique in this process
  AlignedArray<int8_t> plain;    // n x k int8 for other devices; empty unless asked for
  size_t bytes() const {
    return packed.size() + plain.size() + 4 * (scale.size() + offset.size() + sums.size() + bias.size());
  }
};

/// weight: n x k (out x in); bias: n, or empty; rows: the row count of the matmul whose layout is packed;
/// keep_plain: int8 weights are kept as rows too.
LinearWeights pack_linear(Arithmetic arithmetic, const std::vector<float>& weight,
                          const std::vector<float>& bias, int64_t k, int64_t rows, bool keep_plain = false);

/// Rows of the matmul whose layout LinearRunner reads: for pack_linear.
constexpr int kRunnerRows = 8;

/// Applies linears of one shape to any number of rows; scratch inside, so one object per thread (team).
/// The bits of a row depend on that row alone: int8 sums are exact, and f32 rows always run in blocks of the
/// same kernel (kernels for different row counts sum in different orders).
class LinearRunner {
 public:
  LinearRunner(Arithmetic arithmetic, int64_t k, int64_t n, int max_rows);
  /// x: rows x k -> y: rows x n.
  void run(const LinearWeights& w, const float* x, int rows, float* y);
  /// The same, added to y (the residual stream).
  void run_add(const LinearWeights& w, const float* x, int rows, float* y);
  void run_gelu(const LinearWeights& w, const float* x, int rows, float* y);

 private:
  template <class Epilogue>
  void blocks(const LinearWeights& w, const float* x, int rows, Epilogue epilogue);
  Matmul& matmul_for(int rows);

  Arithmetic arithmetic_;
  int64_t k_, n_;
  const RowKernels& kernels_;
  std::vector<std::unique_ptr<Matmul>> matmuls_;  // ascending row counts
  AlignedArray<uint8_t> input_;                   // block x k int8, or f32 for the padded last block
  AlignedArray<float> scale_;
  AlignedArray<uint8_t> acc_;  // block x n s32 or f32
};

}  // namespace amanuensis
