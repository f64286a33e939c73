// Counts copies of audio-sized data (PCM, log-mel, encoder states), so that a test can hold them down.
#pragma once
#include <cstdint>

namespace amanuensis {

/// What the calling thread has copied since it started.
struct Copies {
  int64_t count = 0, bytes = 0;
};

inline Copies& copies_of_thread() {
  thread_local Copies copies;
  return copies;
}

/// To be called by whatever fills a buffer of audio size, once for each pass over it.
inline void count_copy(int64_t bytes) {
  copies_of_thread().count++;
  copies_of_thread().bytes += bytes;
}

}  // namespace amanuensis
