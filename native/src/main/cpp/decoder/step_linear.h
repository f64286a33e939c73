// The projections of the decoder's step: y = x W^T + b for the rows of all live sequences.
#pragma once
#include <memory>

#include "decoder/step_kernels.h"
#include "decoder/step_team.h"
#include "device/cpu/linear.h"

namespace amanuensis {

/// Applies linears of one shape. Where oneDNN's int8 is exact (VNNI, AMX), and in f32, it runs them;
/// elsewhere our own kernels do, which read each weight once for all rows and share the columns among a team.
/// Scratch inside, so one object per decoder. The bits of a row depend on that row alone.
class StepLinear {
 public:
  /// weight: n x k (out x in); bias: n, or empty.
  static LinearWeights pack(Arithmetic arithmetic, const std::vector<float>& weight,
                            const std::vector<float>& bias, int64_t k);

  /// Whether our own kernels run, and so not oneDNN with OpenMP.
  static bool own_kernels(Arithmetic arithmetic);

  StepLinear(Arithmetic arithmetic, int64_t k, int64_t n, int max_rows, StepTeam& team);
  /// x: rows x k -> y: rows x n.
  void run(const LinearWeights& w, const float* x, int rows, float* y);
  /// The same, added to y (the residual stream).
  void run_add(const LinearWeights& w, const float* x, int rows, float* y);
  void run_gelu(const LinearWeights& w, const float* x, int rows, float* y);

 private:
  enum class Then { kStore, kAdd, kGelu };
  void own(const LinearWeights& w, const float* x, int rows, float* y, Then then);

  int64_t k_, n_;
  int max_rows_;
  StepTeam& team_;
  std::unique_ptr<LinearRunner> runner_;  // null where our own kernels run
  AlignedArray<int16_t> input_;           // max_rows x k
  AlignedArray<float> scale_;             // max_rows
};

}  // namespace amanuensis
