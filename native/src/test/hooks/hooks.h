// What tests can make the native layer do. Compiled into the library "hooked" alone (AMANUENSIS_TEST_HOOKS).
#pragma once

#include <cstdint>
#include <cstring>

namespace amanuensis {

// Audio that begins with these samples (16 kHz, 16 bit) crashes the process by a write to an address that is
// not mapped, as a defect in native code would.
inline void crash_if_told(const int16_t* pcm, int64_t samples) {
  static constexpr int16_t told[] = {21331, 18245, 22081, -12345, 21331, 18245, 22081, -12345};
  volatile int* volatile nowhere = nullptr;  // volatile: else the compiler leaves the write out
  if (samples >= 8 && std::memcmp(pcm, told, sizeof told) == 0) *nowhere = 1;
}

}  // namespace amanuensis
