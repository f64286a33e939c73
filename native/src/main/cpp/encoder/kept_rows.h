// Which of its positions a window keeps in the encoder.
#pragma once
#include <vector>

namespace amanuensis {

/// A short clip is mostly padding: past the end of its audio, and some frames of margin, all rows carry the
/// same input and differ in their position alone. The fast profile keeps every stride-th of them, at its own
/// position, and lets it stand for its neighbours: wherever rows are attended to, log(number of rows it
/// stands for) is added to its score, which is what that many equal keys would give.
struct KeptRows {
  int rows = 0;   // rows computed: dense, then one for each group of stride positions
  int dense = 0;  // positions [0, dense) are kept one by one
  int stride = 1;
  int context = 0;  // positions of a whole window

  /// The position of a row: that of its group's middle.
  int position(int row) const;
  /// Positions that a row stands for.
  int weight(int row) const;
  bool all() const { return rows == context; }
  /// log(weight) of each row, times `factor`; zero up to the next multiple of 16 rows.
  void log_weights(float factor, std::vector<float>& to) const;
};

/// How much padding the encoder computes. stride 1 keeps every row.
struct PaddingPolicy {
  int stride = 1;
  int margin = 0;  // rows after the audio that are kept one by one
};

/// content_frames: mel frames (two a row) before the padding; rows come out as a multiple of `multiple`,
/// which divides context.
KeptRows kept_rows(const PaddingPolicy& policy, int context, int content_frames, int multiple);

}  // namespace amanuensis
