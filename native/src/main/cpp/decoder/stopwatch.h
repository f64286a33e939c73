// Where a decoder's time goes.
#pragma once
#include <chrono>
#include <cstdint>

namespace amanuensis {

class Stopwatch {
 public:
  /// Adds the nanoseconds since the last lap, or since it was made.
  void lap(int64_t& nanoseconds) {
    const auto now = std::chrono::steady_clock::now();
    nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace amanuensis
