#include "encoder/kept_rows.h"

#include <algorithm>
#include <cmath>

namespace amanuensis {

namespace {
// Chosen by the encoder's error on speech (docs/speed.md): without them thinning costs half as much again.
constexpr int kEnd = 20, kNearEnd = 83;
constexpr double kMostKept = 0.9;  // of a window's rows, where any are left out
}  // namespace

KeptRows KeptRows::all_of(int context) { return thinned(context, 1, context); }

KeptRows KeptRows::thinned(int dense, int stride, int context) {
  KeptRows kept;
  kept.context_ = context;
  const int from[] = {dense, std::max(dense, context - kNearEnd), std::max(dense, context - kEnd), context};
  const int strides[] = {stride, std::max(1, stride / 2), 1};
  int row = dense;
  for (size_t i = 0; i < kept.parts_.size(); i++) {
    kept.parts_[i] = {row, from[i], strides[i]};
    row += (from[i + 1] - from[i] + strides[i] - 1) / strides[i];
  }
  kept.rows_ = row;
  return kept;
}

const KeptRows::Part& KeptRows::part_of(int row) const {
  size_t i = parts_.size() - 1;
  while (i > 0 && parts_[i].row > row) i--;
  return parts_[i];
}

int KeptRows::first(int row) const {
  if (row < dense()) return row;
  const Part& part = part_of(row);
  return part.position + (row - part.row) * part.stride;
}

int KeptRows::weight(int row) const { return (row + 1 < rows_ ? first(row + 1) : context_) - first(row); }

void KeptRows::log_weights(float factor, std::vector<float>& to) const {
  to.assign(static_cast<size_t>((rows_ + 15) / 16 * 16), 0.0f);
  for (int r = dense(); r < rows_; r++)
    to[static_cast<size_t>(r)] = std::log(static_cast<float>(weight(r))) * factor;
}

KeptRows kept_rows(const PaddingPolicy& policy, int context, int content_frames, int multiple) {
  if (policy.stride <= 1) return KeptRows::all_of(context);
  // Dense rows grow from the audio and its margin until the sum fits. Near a whole window too little is left
  // to gain for what a doubtful result costs.
  for (int dense = (content_frames + 1) / 2 + policy.margin; dense < context; dense++) {
    const KeptRows kept = KeptRows::thinned(dense, policy.stride, context);
    if (kept.rows() % multiple == 0)
      return kept.rows() <= context * kMostKept ? kept : KeptRows::all_of(context);
  }
  return KeptRows::all_of(context);
}

}  // namespace amanuensis
