#include "align/alignment.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace amanuensis {

namespace {
constexpr int kMedianWidth = 7;

void softmax(float* row, int n) {
  const float max = *std::max_element(row, row + n);
  float sum = 0;
  for (int i = 0; i < n; i++) sum += row[i] = std::exp(row[i] - max);
  for (int i = 0; i < n; i++) row[i] /= sum;
}

// Zero mean and unit variance (population) of each frame over the tokens.
void standardise(float* head, int tokens, int stride, int frames) {
  for (int f = 0; f < frames; f++) {
    double mean = 0, square = 0;
    for (int t = 0; t < tokens; t++) mean += head[static_cast<int64_t>(t) * stride + f];
    mean /= tokens;
    for (int t = 0; t < tokens; t++) {
      const double d = head[static_cast<int64_t>(t) * stride + f] - mean;
      square += d * d;
    }
    const double deviation = std::sqrt(square / tokens);
    for (int t = 0; t < tokens; t++) {
      float& x = head[static_cast<int64_t>(t) * stride + f];
      x = static_cast<float>((x - mean) / deviation);
    }
  }
}

// Median of seven along the frames, edges reflected without repeating the edge.
void median_filter(const float* row, int n, float* out) {
  constexpr int kHalf = kMedianWidth / 2;
  if (n <= kHalf) {
    std::copy_n(row, n, out);
    return;
  }
  for (int i = 0; i < n; i++) {
    float window[kMedianWidth];
    for (int j = -kHalf; j <= kHalf; j++) {
      const int at = std::abs(i + j);
      window[j + kHalf] = row[at < n ? at : 2 * (n - 1) - at];
    }
    std::nth_element(window, window + kHalf, window + kMedianWidth);
    out[i] = window[kHalf];
  }
}
}  // namespace

std::vector<int32_t> align_tokens(float* qk, int heads, int tokens, int stride, int frames, int first,
                                  int last) {
  const int rows = last - first;
  std::vector<double> cost(static_cast<size_t>(rows) * static_cast<size_t>(frames));
  std::vector<float> filtered(static_cast<size_t>(frames));
  std::vector<float> sum(cost.size());
  for (int h = 0; h < heads; h++) {
    float* head = qk + static_cast<int64_t>(h) * tokens * stride;
    for (int t = 0; t < tokens; t++) softmax(head + static_cast<int64_t>(t) * stride, frames);
    standardise(head, tokens, stride, frames);
    for (int t = first; t < last; t++) {
      median_filter(head + static_cast<int64_t>(t) * stride, frames, filtered.data());
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
