#include "align/alignment.h"

#include <algorithm>
#include <cmath>

#include "decoder/step_kernels.h"
#include "device/cpu/kernels.h"

namespace amanuensis {

namespace {
constexpr int kHalf = 3;  // neighbours on each side in a median of seven

void softmax(float* row, int n) {
  const float inverse = row_kernels().softmax_f32(row, row, n);
  for (int i = 0; i < n; i++) row[i] *= inverse;
}

// Zero mean and unit variance (population) of each frame over the tokens. sums: 2 x frames.
void standardise(float* head, int tokens, int stride, int frames, std::vector<double>& sums) {
  std::fill(sums.begin(), sums.end(), 0.0);
  double* mean = sums.data();
  double* deviation = mean + frames;
  for (int t = 0; t < tokens; t++)
    for (int f = 0; f < frames; f++) mean[f] += head[static_cast<int64_t>(t) * stride + f];
  for (int f = 0; f < frames; f++) mean[f] /= tokens;
  for (int t = 0; t < tokens; t++)
    for (int f = 0; f < frames; f++) {
      const double d = head[static_cast<int64_t>(t) * stride + f] - mean[f];
      deviation[f] += d * d;
    }
  for (int f = 0; f < frames; f++) deviation[f] = std::sqrt(deviation[f] / tokens);
  for (int t = 0; t < tokens; t++)
    for (int f = 0; f < frames; f++) {
      float& x = head[static_cast<int64_t>(t) * stride + f];
      x = static_cast<float>((x - mean[f]) / deviation[f]);
    }
}

// Median of seven along the frames, edges reflected without repeating the edge. scratch: n + 6.
void median_filter(const float* row, int n, float* scratch, float* out) {
  if (n <= kHalf) {
    std::copy_n(row, n, out);
    return;
  }
  std::copy_n(row, n, scratch + kHalf);
  for (int j = 1; j <= kHalf; j++) {
    scratch[kHalf - j] = row[j];
    scratch[kHalf + n - 1 + j] = row[n - 1 - j];
  }
  step_kernels().median_of_seven(scratch, out, n);
}
}  // namespace

std::vector<int32_t> align_tokens(float* qk, int heads, int tokens, int stride, int frames, int first,
                                  int last) {
  const int rows = last - first;
  const auto width = static_cast<size_t>(frames);
  std::vector<double> sums(2 * width), cost(static_cast<size_t>(rows) * width);
  std::vector<float> scratch(width + 2 * kHalf), filtered(width), sum(cost.size());
  for (int h = 0; h < heads; h++) {
    float* head = qk + static_cast<int64_t>(h) * tokens * stride;
    for (int t = 0; t < tokens; t++) softmax(head + static_cast<int64_t>(t) * stride, frames);
    standardise(head, tokens, stride, frames, sums);
    for (int t = first; t < last; t++) {
      median_filter(head + static_cast<int64_t>(t) * stride, frames, scratch.data(), filtered.data());
      float* to = sum.data() + static_cast<int64_t>(t - first) * frames;
      for (int f = 0; f < frames; f++) to[f] += filtered[static_cast<size_t>(f)];
    }
  }
  for (size_t i = 0; i < cost.size(); i++) cost[i] = -static_cast<double>(sum[i] / static_cast<float>(heads));
  return dtw_row_starts(cost, rows, frames);
}

std::vector<int32_t> dtw_row_starts(const std::vector<double>& cost, int rows, int columns) {
  enum Step : uint8_t { kDiagonal, kUp, kLeft };
  const auto width = static_cast<size_t>(columns) + 1;
  std::vector<uint8_t> trace(static_cast<size_t>(rows + 1) * width, kLeft);
  std::vector<float> above(width, INFINITY), here(width, INFINITY);  // float32 totals, as in the reference
  above[0] = 0;
  for (int i = 1; i <= rows; i++) {
    here[0] = INFINITY;
    for (int j = 1; j <= columns; j++) {
      const auto c = static_cast<size_t>(j);
      const float diagonal = above[c - 1], up = above[c], left = here[c - 1];
      float best = left;
      Step step = kLeft;
      if (diagonal < up && diagonal < left) {
        best = diagonal;
        step = kDiagonal;
      } else if (up < diagonal && up < left) {
        best = up;
        step = kUp;
      }
      here[c] =
          static_cast<float>(cost[static_cast<size_t>(i - 1) * static_cast<size_t>(columns) + c - 1] + best);
      trace[static_cast<size_t>(i) * width + c] = step;
    }
    std::swap(above, here);
  }
  std::vector<int32_t> starts(static_cast<size_t>(rows));
  for (int i = rows, j = columns; i > 0 || j > 0;) {
    if (i > 0) starts[static_cast<size_t>(i - 1)] = std::max(0, j - 1);
    const auto step = i == 0 ? kLeft
                      : j == 0
                          ? kUp
                          : static_cast<Step>(trace[static_cast<size_t>(i) * width + static_cast<size_t>(j)]);
    if (step != kLeft) i--;
    if (step != kUp) j--;
  }
  return starts;
}

}  // namespace amanuensis
