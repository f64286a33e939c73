#include "encoder/kept_rows.h"

#include <algorithm>
#include <cmath>

namespace amanuensis {

int KeptRows::position(int row) const {
  if (row < dense) return row;
  const int first = dense + (row - dense) * stride;
  return first + weight(row) / 2;
}

int KeptRows::weight(int row) const {
  if (row < dense) return 1;
  return std::min(stride, context - dense - (row - dense) * stride);
}

void KeptRows::log_weights(float factor, std::vector<float>& to) const {
  to.assign(static_cast<size_t>((rows + 15) / 16 * 16), 0.0f);
  for (int r = dense; r < rows; r++)
    to[static_cast<size_t>(r)] = std::log(static_cast<float>(weight(r))) * factor;
}

KeptRows kept_rows(const PaddingPolicy& policy, int context, int content_frames, int multiple) {
  KeptRows all{context, context, 1, context};
  if (policy.stride <= 1) return all;
  // Dense rows grow from the audio and its margin until the sum fits; near a whole window nothing is left to
  // gain.
  for (int dense = (content_frames + 1) / 2 + policy.margin; dense < context; dense++) {
    const int rows = dense + (context - dense + policy.stride - 1) / policy.stride;
    if (rows % multiple == 0) return rows < context ? KeptRows{rows, dense, policy.stride, context} : all;
  }
  return all;
}

}  // namespace amanuensis
