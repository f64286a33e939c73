// The projections of the decoder's step: y = x W^T + b for the rows of all live sequences.
#pragma once
#include <memory>

#include "decoder/step_kernels.h"
#include "device/cpu/linear.h"
#include "device/cpu/team.h"

namespace amanuensis {

/// Applies linears of one shape. int8 runs on our own kernels, which read each weight once for up to 8 rows
/// and share the columns among a team without barriers: beside a busy core one OpenMP barrier waits for a
/// scheduler's quantum. f32 runs on oneDNN. Scratch inside, so one object per decoder; the team must outlive
/// it. The bits of a row depend on that row alone.
class StepLinear {
 public:
  /// Weights for run(). weight: n x k (out x in); bias: n, or empty.
  static LinearWeights pack(Arithmetic arithmetic, const std::vector<float>& weight,
                            const std::vector<float>& bias, int64_t k);

  /// Whether our own kernels run, and so not oneDNN with OpenMP.
  static bool own_kernels(Arithmetic arithmetic);

  StepLinear(Arithmetic arithmetic, int64_t k, int64_t n, int max_rows, Team& team);
  /// x: rows x k -> y: rows x n.
  void run(const LinearWeights& w, const float* x, int rows, float* y);
  /// The same, added to y (the residual stream).
  void run_add(const LinearWeights& w, const float* x, int rows, float* y);
  /// gelu of the same.
  void run_gelu(const LinearWeights& w, const float* x, int rows, float* y);

 private:
  enum class Then { kStore, kAdd, kGelu };
  void run_own(const LinearWeights& w, const float* x, int rows, float* y, Then then);

  int64_t k_, n_;
  int max_rows_;
  Team& team_;
  std::unique_ptr<LinearRunner> runner_;  // null where our own kernels run
  int64_t row_bytes_ = 0;                 // of a row's inputs
  AlignedArray<uint8_t> input_;           // max_rows x row_bytes_
  AlignedArray<float> scale_;             // max_rows
};

}  // namespace amanuensis
