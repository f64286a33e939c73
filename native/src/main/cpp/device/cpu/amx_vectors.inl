#include <immintrin.h>

#include <cstdint>

// Vectors of 64 f32 on their way to bytes. Included by files compiled for AMX machines only.
namespace amanuensis {
namespace {

constexpr int kHead = 64;
constexpr float kByteMost = 127;  // of queries and keys

inline float largest(__m512 a, __m512 b, __m512 c, __m512 d) {
  return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)),
                                            _mm512_max_ps(_mm512_abs_ps(c), _mm512_abs_ps(d))));
}
inline float square(__m512 a, __m512 b, __m512 c, __m512 d) {
  return _mm512_reduce_add_ps(
      _mm512_add_ps(_mm512_fmadd_ps(a, a, _mm512_mul_ps(b, b)), _mm512_fmadd_ps(c, c, _mm512_mul_ps(d, d))));
}
inline __m128i to_bytes(__m512 x, __m512 scale) {
  return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(x, scale)));
}

// The bytes of one key or query: x * scale.
inline void put_bytes(const float* x, __m512 scale, int8_t* to) {
  for (int d = 0; d < kHead; d += 16)
    _mm_store_si128(reinterpret_cast<__m128i*>(to + d), to_bytes(_mm512_loadu_ps(x + d), scale));
}

}  // namespace
}  // namespace amanuensis
