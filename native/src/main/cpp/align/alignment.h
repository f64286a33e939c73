// From attention scores to token times (openai/whisper timing.py).
#pragma once
#include <cstdint>
#include <vector>

namespace amanuensis {

/// qk: heads x tokens x stride scores before softmax, of which the first `frames` columns (20 ms each) are
/// audio; overwritten. Rows [first, last) of the token axis are aligned. Returns, for each of them, the frame
/// at which the path enters it.
std::vector<int32_t> align_tokens(float* qk, int heads, int tokens, int stride, int frames, int first,
                                  int last);

/// Dynamic time warping over a cost matrix (rows x columns): for each row, the column at which the path
/// enters it.
std::vector<int32_t> dtw_row_starts(const std::vector<double>& cost, int rows, int columns);

}  // namespace amanuensis
