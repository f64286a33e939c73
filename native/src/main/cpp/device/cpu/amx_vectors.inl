#include <immintrin.h>

#include <cstdint>

// Vectors of 64 f32 on their way to bytes. Included by files compiled for AMX machines only.
namespace amanuensis {
namespace {

constexpr int kHead = 64;
constexpr float kByteMost = 127;  // of queries and keys

// Of rows of 64.
struct Extent {
  float largest;  // magnitude
  float longest;  // norm
};

inline Extent extent_of(const float* rows, int n) {
  __m512 largest = _mm512_setzero_ps();
  float longest = 0;
  for (int r = 0; r < n; r++) {
    __m512 squares = _mm512_setzero_ps();
    for (int d = 0; d < kHead; d += 16) {
      const __m512 x = _mm512_loadu_ps(rows + int64_t{r} * kHead + d);
      largest = _mm512_max_ps(largest, _mm512_abs_ps(x));
      squares = _mm512_fmadd_ps(x, x, squares);
    }
    const float square = _mm512_reduce_add_ps(squares);
    longest = square > longest ? square : longest;
  }
  return {_mm512_reduce_max_ps(largest), __builtin_sqrtf(longest)};
}

// What rows are multiplied by to become bytes.
inline float byte_scale(const Extent& extent) {
  return extent.largest > 0 ? kByteMost / extent.largest : 0.0f;
}

// The bytes of one key or query: x * scale.
inline void put_bytes(const float* x, __m512 scale, int8_t* to) {
  for (int d = 0; d < kHead; d += 16)
    _mm_store_si128(reinterpret_cast<__m128i*>(to + d),
                    _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + d), scale))));
}

}  // namespace
}  // namespace amanuensis
