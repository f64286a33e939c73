#include "decoder/step_linear.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amanuensis {

namespace {
constexpr int kColumns = StepKernels::kColumns;
// Outputs in a piece of work: the same whatever the team, so that vectorised loops end at the same places.
constexpr int64_t kPiece = 4 * kColumns;

AlignedArray<float> padded(const float* from, int64_t n) {
  AlignedArray<float> to(static_cast<size_t>((n + kColumns - 1) / kColumns * kColumns));
  std::fill_n(to.data(), to.size(), 0.0f);
  if (from != nullptr) std::copy_n(from, n, to.data());
  return to;
}
}  // namespace

bool StepLinear::own_kernels(Arithmetic a) { return a == Arithmetic::kInt8; }

LinearWeights StepLinear::pack(Arithmetic arithmetic, const std::vector<float>& weight,
                               const std::vector<float>& bias, int64_t k) {
  if (!own_kernels(arithmetic)) return pack_linear(arithmetic, weight, bias, k, kRunnerRows);
  LinearWeights w;
  w.arithmetic = arithmetic;
  w.k = k;
  w.n = static_cast<int64_t>(weight.size()) / k;
  w.bias = padded(bias.empty() ? nullptr : bias.data(), w.n);
  w.scale = padded(nullptr, w.n);
  w.offset = AlignedArray<int32_t>(w.scale.size());
  std::fill_n(w.offset.data(), w.offset.size(), 0);
  w.packed = AlignedArray<uint8_t>(w.bias.size() * static_cast<size_t>(k));
  std::memset(w.packed.data(), 0, w.packed.size());
  const int64_t depth = step_kernels().depth;
  std::vector<int16_t> row(static_cast<size_t>(k));
  for (int64_t o = 0; o < w.n; o++) {
    const auto at = static_cast<size_t>(o);
    w.scale[at] = step_kernels().quantise(weight.data() + o * k, row.data(), static_cast<int>(k), 127.0f);
    w.offset[at] = -128 * std::accumulate(row.begin(), row.end(), 0);
    uint8_t* to = w.packed.data() + o / kColumns * kColumns * k + o % kColumns * depth;
    for (int64_t i = 0; i < k; i++)
      to[i / depth * depth * kColumns + i % depth] = static_cast<uint8_t>(row[static_cast<size_t>(i)]);
  }
  return w;
}

StepLinear::StepLinear(Arithmetic arithmetic, int64_t k, int64_t n, int max_rows, Team& team)
    : k_(k), n_(n), max_rows_(max_rows), team_(team) {
  if (!own_kernels(arithmetic)) {
    runner_ = std::make_unique<LinearRunner>(arithmetic, k, n, max_rows);
    return;
  }
  row_bytes_ = k * 4 / step_kernels().depth;
  input_ = AlignedArray<uint8_t>(static_cast<size_t>(max_rows * row_bytes_));
  scale_ = AlignedArray<float>(static_cast<size_t>(max_rows));
}

void StepLinear::run(const LinearWeights& w, const float* x, int rows, float* y) {
  if (runner_) return runner_->run(w, x, rows, y);
  run_own(w, x, rows, y, Then::kStore);
}
void StepLinear::run_add(const LinearWeights& w, const float* x, int rows, float* y) {
  if (runner_) return runner_->run_add(w, x, rows, y);
  run_own(w, x, rows, y, Then::kAdd);
}
void StepLinear::run_gelu(const LinearWeights& w, const float* x, int rows, float* y) {
  if (runner_) return runner_->run_gelu(w, x, rows, y);
  run_own(w, x, rows, y, Then::kGelu);
}

void StepLinear::run_own(const LinearWeights& w, const float* x, int rows, float* y, Then then) {
  const StepKernels& kernels = step_kernels();
  const RowKernels& row_kernel = row_kernels();
  for (int first = 0; first < rows; first += max_rows_) {
    const int here = std::min(max_rows_, rows - first);
    const float* from = x + first * k_;
    float* to = y + first * n_;
    for (int r = 0; r < here; r++)
      scale_[static_cast<size_t>(r)] =
          kernels.quantise_inputs(from + r * k_, input_.data() + r * row_bytes_, static_cast<int>(k_));
    team_.run(static_cast<int>((n_ + kPiece - 1) / kPiece), [&](int piece, int) {
      const int64_t column = piece * kPiece, columns = std::min(kPiece, n_ - column);
      kernels.linear(input_.data(), scale_.data(), here, k_, reinterpret_cast<const int8_t*>(w.packed.data()),
                     w.offset.data(), w.scale.data(), w.bias.data(), column, columns, to, n_,
                     then == Then::kAdd);
      if (then == Then::kGelu)
        for (int r = 0; r < here; r++)
          row_kernel.gelu_f32(to + r * n_ + column, to + r * n_ + column, static_cast<int>(columns));
    });
  }
}

}  // namespace amanuensis
