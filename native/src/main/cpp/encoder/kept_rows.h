// Which of its positions a window keeps in the encoder.
#pragma once
#include <array>
#include <vector>

namespace amanuensis {

/// A short clip is mostly padding: past the end of its audio, and some frames of margin, all rows carry the
/// same input and differ in their position alone. The fast profile keeps one of every few, and lets it stand
/// for its neighbours: wherever rows are attended to, log(number of rows it stands for) is added to its
/// score, which is what that many equal keys would give. The window's last rows, to which the others attend
/// most, are kept more densely.
class KeptRows {
 public:
  /// The positions of a window that keeps them all.
  static KeptRows all_of(int context);
  /// Positions [0, dense) one by one, and one of `stride` after them; of the window's last 83 one of half of
  /// that, and the last 20 one by one.
  static KeptRows thinned(int dense, int stride, int context);

  /// Rows computed.
  int rows() const { return rows_; }
  /// Positions [0, dense) are kept one by one.
  int dense() const { return parts_[0].position; }
  bool all() const { return rows_ == context_; }
  /// The first of the positions that a row stands for.
  int first(int row) const;
  /// The position of a row: that of its group's middle.
  int position(int row) const { return first(row) + weight(row) / 2; }
  /// Positions that a row stands for.
  int weight(int row) const;
  /// log(weight) of each row, times `factor`; zero up to the next multiple of 16 rows.
  void log_weights(float factor, std::vector<float>& to) const;

 private:
  // Rows from `row` on stand for `stride` positions each, from `position` to the next part's.
  struct Part {
    int row, position, stride;
  };
  const Part& part_of(int row) const;

  std::array<Part, 3> parts_{};  // after the dense rows
  int rows_ = 0;
  int context_ = 0;  // positions of a whole window
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
