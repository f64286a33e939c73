#include <immintrin.h>

// Vectors of the decoder's step kernels. Included by one file per instruction set: see step_kernels.inl.
#include <cmath>
#include <cstring>

#if defined(__AVX512VNNI__) || defined(AMANUENSIS_AVX_VNNI)
#include "device/cpu/vnni.inl"
#endif
namespace amanuensis {
namespace {
#if defined(__AVX512BW__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * 4)));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4)));
constexpr int kHead = 64;
constexpr int kColumns = StepKernels::kColumns;
constexpr int kPanel = kColumns / kLanes;  // vectors of a panel's sums

template <class T>
inline T load(const void* p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
inline void store(void* p, T v) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline Lanes to_float(Ints i) { return __builtin_convertvector(i, Lanes); }

// kLanes pairs of int16, as kLanes int32.
inline Ints widen(const int8_t* p) {
#if defined(__AVX512BW__)
  return reinterpret_cast<Ints>(_mm512_cvtepi8_epi16(load<__m256i>(p)));
#elif defined(__AVX2__)
  return reinterpret_cast<Ints>(_mm256_cvtepi8_epi16(load<__m128i>(p)));
#else
  int16_t w[2 * kLanes];
  for (int i = 0; i < 2 * kLanes; i++) w[i] = p[i];
  return load<Ints>(w);
#endif
}
// The same pair in all lanes.
inline Ints broadcast(const int16_t* pair) { return Ints{} + load<int32_t>(pair); }
// sum + a0 * b0 + a1 * b1 of the pairs in each lane.
inline Ints add_products(Ints sum, Ints a, Ints b) {
#if defined(__AVX512VNNI__)
  auto total = reinterpret_cast<__m512i>(sum);
  add_pair_products(total, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b));
  return reinterpret_cast<Ints>(total);
#elif defined(__AVX512BW__)
  return sum + reinterpret_cast<Ints>(
                   _mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return sum + reinterpret_cast<Ints>(
                   _mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  const Ints low = ((a << 16) >> 16) * ((b << 16) >> 16), high = (a >> 16) * (b >> 16);
  return sum + low + high;
#endif
}

inline float largest_magnitude(const float* x, int n) {
  float m = 0;
  for (int i = 0; i < n; i++) {
    const float a = std::fabs(x[i]);
    m = a > m ? a : m;
  }
  return m;
}

float quantise(const float* x, int16_t* q, int n, float levels) {
  const float m = largest_magnitude(x, n);
  if (m == 0) {
    std::memset(q, 0, static_cast<size_t>(n) * 2);
    return 0;
  }
  const float inv = levels / m;
  for (int i = 0; i < n; i++) {
    // Adding 1.5 * 2^23 rounds to nearest even and leaves the integer in the low bits.
    const float z = x[i] * inv + 12582912.0f;
    int32_t bits;
    __builtin_memcpy(&bits, &z, 4);
    q[i] = static_cast<int16_t>(bits);
  }
  return m / levels;
}
}  // namespace
}  // namespace amanuensis
