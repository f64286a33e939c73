// IEEE 754 binary16, as checkpoints hold it.
#pragma once
#include <cstdint>
#include <cstring>

namespace amanuensis {

/// Exact: every half is a float.
inline float from_half(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t exponent = (h >> 10) & 31u, mantissa = h & 1023u;
  uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000u | mantissa << 13;
  } else if (exponent != 0) {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    const float tiny = static_cast<float>(mantissa) * 5.9604645e-8f;  // 2^-24
    return sign != 0 ? -tiny : tiny;
  }
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

}  // namespace amanuensis
