#include <immintrin.h>

// Included by one file per instruction set, each compiled with its own flags: no linkage, no state, no
// includes of ours, so that nothing compiled for a wide ISA can be picked for a narrow one.
#include <cmath>
#include <cstring>
namespace amanuensis {
namespace {
inline float as_float(int32_t i) {
  float f;
  __builtin_memcpy(&f, &i, 4);
  return f;
}
inline int32_t as_int(float f) {
  int32_t i;
  __builtin_memcpy(&i, &f, 4);
  return i;
}

// exp(x) for x <= 0 (clamped at -87): 2^k * p(r), |r| <= ln2/2, degree-5 minimax, relative error < 3e-7.
inline float exp_neg(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float z = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to the nearest integer
  const int32_t k = as_int(z);
  // From the integer: under -fassociative-math (z - 1.5 * 2^23) would be folded away.
  const float kf = static_cast<float>(k - 0x4B400000);
  float r = x - kf * 0.693145752f;
  r = r - kf * 1.42860677e-6f;
  float p = 1.98756912e-4f;
  p = p * r + 1.39819994e-3f;
  p = p * r + 8.33345205e-3f;
  p = p * r + 4.16657962e-2f;
  p = p * r + 1.66666657e-1f;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  return as_float(as_int(p) + static_cast<int32_t>(static_cast<uint32_t>(k) << 23));
}
// x * Phi(x), erf by Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7).
inline float gelu(float x) {
  const float a = std::fabs(x) * 0.70710678f;
  const float t = 1.0f / (1.0f + 0.3275911f * a);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  // Nothing below exp(-64): a denormal number costs Intel cores a hundred cycles.
  const float square = a * a > 64.0f ? 64.0f : a * a;
  const float tail = 0.5f * p * t * exp_neg(-square);  // 1 - Phi(|x|)
  return x >= 0 ? x - x * tail : x * tail;
}
// x * Phi(x) for what becomes int8: Phi by an odd polynomial fitted to |x| <= 4 so that the largest error of
// the product is smallest (4e-5).
inline float coarse_gelu(float x) {
  const float c = x > 4.0f ? 4.0f : x < -4.0f ? -4.0f : x;
  const float s = c * c;
  float p = -1.30129514e-9f;
  p = p * s + 1.04196093e-7f;
  p = p * s - 3.65713426e-6f;
  p = p * s + 7.48550667e-5f;
  p = p * s - 1.00649057e-3f;
  p = p * s + 9.5053991e-3f;
  p = p * s - 6.58878453e-2f;
  p = p * s + 0.398673401f;
  return x * (p * c + 0.5f);
}

float quantise(const float* x, int8_t* q, int n) {
  float m = 0;
  for (int i = 0; i < n; i++) {
    const float a = std::fabs(x[i]);
    m = a > m ? a : m;
  }
  if (m == 0) {
    std::memset(q, 0, static_cast<size_t>(n));
    return 0;
  }
  const float inv = 127.0f / m;
  for (int i = 0; i < n; i++) {
    // Adding 1.5 * 2^23 rounds to nearest even and leaves the integer in the low bits.
    q[i] = static_cast<int8_t>(as_int(x[i] * inv + 12582912.0f));
  }
  return m / 127.0f;
}
float quantise_range(const float* x, int8_t* q, int n, float* shift) {
  float low = 0, high = 0;
  for (int i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  if (high == low) {
    std::memset(q, 0, static_cast<size_t>(n));
    *shift = 0;
    return 0;
  }
  const float inv = 254.0f / (high - low);  // not 255: both ends may be rounded outwards
  const int32_t below = as_int(low * inv + 12582912.0f) - 0x4B400000;
  const float round = 12582912.0f - static_cast<float>(128 + below);  // see quantise()
  for (int i = 0; i < n; i++) q[i] = static_cast<int8_t>(as_int(x[i] * inv + round));
  *shift = static_cast<float>(128 + below);
  return (high - low) / 254.0f;
}
void layer_norm(const float* x, const float* g, const float* b, float* y, int n) {
  float s = 0;
  for (int i = 0; i < n; i++) s += x[i];
  const float mean = s / static_cast<float>(n);
  float v = 0;
  for (int i = 0; i < n; i++) {
    const float d = x[i] - mean;
    v += d * d;
  }
  const float inv = 1.0f / std::sqrt(v / static_cast<float>(n) + 1e-5f);
  for (int i = 0; i < n; i++) y[i] = (x[i] - mean) * inv * g[i] + b[i];
}
float layer_norm_quantise(const float* x, const float* g, const float* b, float* t, int8_t* q, int n) {
  layer_norm(x, g, b, t, n);
  return quantise(t, q, n);
}
void dequantise_f32(const int32_t* a, float r, const float* c, const float* b, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = static_cast<float>(a[i]) * (r * c[i]) + b[i];
}
void dequantise_add(const int32_t* a, float r, const float* c, const float* b, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] += static_cast<float>(a[i]) * (r * c[i]) + b[i];
}
void shift_bias(const float* b, float shift, const float* sums, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = b[i] + shift * sums[i];
}
float dequantise_gelu_quantise(const int32_t* a, float r, const float* c, const float* b, float* t, int8_t* q,
                               int n, float* shift) {
  for (int i = 0; i < n; i++) t[i] = coarse_gelu(static_cast<float>(a[i]) * (r * c[i]) + b[i]);
  return quantise_range(t, q, n, shift);
}
void bias_f32(const float* x, const float* b, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = x[i] + b[i];
}
void bias_add(const float* x, const float* b, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] += x[i] + b[i];
}
void bias_gelu_f32(const float* x, const float* b, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = gelu(x[i] + b[i]);
}
void gelu_f32(const float* x, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = gelu(x[i]);
}
float maximum(const float* s, int n) {
  float m = s[0];
  for (int i = 0; i < n; i++) m = s[i] > m ? s[i] : m;
  return m;
}
float softmax_f32(const float* s, float* p, int n) {
  const float m = maximum(s, n);
  float sum = 0;
  for (int i = 0; i < n; i++) {
    p[i] = exp_neg(s[i] - m);
    sum += p[i];
  }
  return 1.0f / sum;
}
// One register of floats.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * 4)));

void key_scores_f32(const float* q, const float* keys, int64_t stride, int n, float* scores) {
  for (int t = 0; t < n; t++) {
    const float* k = keys + t * stride;
    float sum = 0;
    for (int i = 0; i < 64; i++) sum += q[i] * k[i];
    scores[t] = sum;
  }
}

void add_values_f32(const float* weights, const float* values, int64_t stride, int n, float* out) {
  constexpr int kVectors = 64 / kLanes;
  Lanes sum[kVectors];
  __builtin_memcpy(sum, out, sizeof sum);
  for (int t = 0; t < n; t++) {
    Lanes v[kVectors];
    __builtin_memcpy(v, values + t * stride, sizeof v);
    for (int i = 0; i < kVectors; i++) sum[i] += weights[t] * v[i];
  }
  __builtin_memcpy(out, sum, sizeof sum);
}

float log_sum_exp(const float* x, int n) {
  const float m = maximum(x, n);
  if (m < -3e38f) return m;
  float sum = 0;
  for (int i = 0; i < n; i++) sum += exp_neg(x[i] - m);
  return m + std::log(sum);
}

}  // namespace
}  // namespace amanuensis

#define AMANUENSIS_ROW_KERNELS(function, name)                \
  const RowKernels& function() {                              \
    static const RowKernels kernels{name,                     \
                                    power_spectrum_400,       \
                                    mel_log10,                \
                                    layer_norm,               \
                                    layer_norm_quantise,      \
                                    quantise,                 \
                                    quantise_range,           \
                                    dequantise_f32,           \
                                    dequantise_add,           \
                                    shift_bias,               \
                                    dequantise_gelu_quantise, \
                                    bias_f32,                 \
                                    bias_add,                 \
                                    bias_gelu_f32,            \
                                    gelu_f32,                 \
                                    softmax_f32,              \
                                    log_sum_exp,              \
                                    key_scores_f32,           \
                                    add_values_f32};          \
    return kernels;                                           \
  }
