#include <immintrin.h>

// Included by one file per instruction set, each compiled with its own flags: no linkage, no state, no
// includes but of other such files, so that nothing compiled for a wide ISA can be picked for a narrow one.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "decoder/step_linear.inl"
namespace amanuensis {
namespace {
// Keys and values come from memory: fetching this far ahead, a core reads almost twice as much
// (docs/speed.md).
constexpr int kFetchAhead = 4096;

// Blocks of 16 keys side by side: vpdpwssd has a latency to hide, vpaddd has not.
#if defined(__AVX512VNNI__)
constexpr int kBlocks = 4;
#else
constexpr int kBlocks = 1;
#endif

// The scores of kWide blocks of 16 keys from `first` on.
template <int kQueries, int kWide>
inline void key_blocks(const int16_t* q, const float* scale, const int8_t* keys, const float* key_scale,
                       const float* bias, int first, float* scores, int64_t stride) {
  constexpr int kBlock = 16 * kHead, kVectors = kWide * kPanel;
  const int8_t* from = keys + static_cast<int64_t>(first) * kHead;
  Ints sum[kQueries][kVectors] = {};
#pragma GCC unroll 2
  for (int d = 0; d < kHead; d += 2) {
    Ints b[kVectors];
    for (int v = 0; v < kVectors; v++) {
      const int8_t* at = from + v / kPanel * kBlock + d * 16 + v % kPanel * 2 * kLanes;
      if (v % kPanel == 0 && d % 4 == 0) __builtin_prefetch(at + kFetchAhead);
      b[v] = widen(at);
    }
    for (int i = 0; i < kQueries; i++) {
      const Ints x = broadcast(q + i * kHead + d);
      for (int v = 0; v < kVectors; v++) sum[i][v] = add_products(sum[i][v], x, b[v]);
    }
  }
  for (int i = 0; i < kQueries; i++)
    for (int v = 0; v < kVectors; v++) {
      const int t = first + v * kLanes;
      const Lanes factor = scale[i] * load<Lanes>(key_scale + t);
      store(scores + i * stride + t, to_float(sum[i][v]) * factor + load<Lanes>(bias + t));
    }
}

template <int kQueries>
void key_scores_of(const int16_t* q, const float* scale, const int8_t* keys, const float* key_scale,
                   const float* bias, int rows, float* scores, int64_t stride) {
  int first = 0;
  for (; first + kBlocks * 16 <= rows; first += kBlocks * 16)
    key_blocks<kQueries, kBlocks>(q, scale, keys, key_scale, bias, first, scores, stride);
  for (; first < rows; first += 16)
    key_blocks<kQueries, 1>(q, scale, keys, key_scale, bias, first, scores, stride);
}

// work(std::integral_constant<int, queries>()).
template <class F>
void for_queries(int queries, const F& work) {
  if (queries == 4) work(std::integral_constant<int, 4>());
  if (queries == 3) work(std::integral_constant<int, 3>());
  if (queries == 2) work(std::integral_constant<int, 2>());
  if (queries == 1) work(std::integral_constant<int, 1>());
}

void key_scores(const int16_t* q, const float* scale, int queries, const int8_t* keys, const float* key_scale,
                const float* bias, int rows, float* scores, int64_t stride) {
  for_queries(queries, [&](auto count) {
    key_scores_of<decltype(count)::value>(q, scale, keys, key_scale, bias, rows, scores, stride);
  });
}

// Weights are quantised to int16 in stretches: 256 * 32767 * 127 fits int32, and a stretch of small weights
// keeps its precision beside one of large ones.
constexpr int kStretch = 256;

template <int kQueries>
void values_of(float* weights, int64_t stride, const int8_t* values, const float* value_scale, int rows,
               float* const* out) {
  constexpr int kVectors = kHead / kLanes;
  constexpr int kAtOnce = kLanes == 16 ? kVectors : kVectors / (kQueries == 3 ? 4 : kQueries);
  Lanes total[kQueries][kVectors] = {};
  for (int first = 0; first < rows; first += kStretch) {
    const int here = rows - first < kStretch ? rows - first : kStretch;
    int16_t q[kQueries][kStretch];
    float scale[kQueries];
    for (int i = 0; i < kQueries; i++) {
      float* w = weights + i * stride + first;
      for (int t = 0; t < here; t++) w[t] *= value_scale[first + t];
      scale[i] = quantise(w, q[i], here, 32767.0f);
    }
    for (int column = 0; column < kVectors; column += kAtOnce) {
      Ints sum[kQueries][kAtOnce] = {};
      const int8_t* from = values + first * kHead + column * 2 * kLanes;
      for (int t = 0; t < here; t += 2, from += 2 * kHead) {
        Ints b[kAtOnce];
        for (int v = 0; v < kAtOnce; v += 64 / (2 * kLanes))
          __builtin_prefetch(from + v * 2 * kLanes + kFetchAhead);
        for (int v = 0; v < kAtOnce; v++) b[v] = widen(from + v * 2 * kLanes);
        for (int i = 0; i < kQueries; i++) {
          const Ints x = broadcast(q[i] + t);
          for (int v = 0; v < kAtOnce; v++) sum[i][v] = add_products(sum[i][v], x, b[v]);
        }
      }
      for (int i = 0; i < kQueries; i++)
        for (int v = 0; v < kAtOnce; v++) total[i][column + v] += to_float(sum[i][v]) * scale[i];
    }
  }
  for (int i = 0; i < kQueries; i++) std::memcpy(out[i], total[i], sizeof total[i]);
}

void values(float* weights, int64_t stride, int queries, const int8_t* values, const float* value_scale,
            int rows, float* const* out) {
  for_queries(queries, [&](auto count) {
    values_of<decltype(count)::value>(weights, stride, values, value_scale, rows, out);
  });
}

// ---- f16
#if defined(__AVX512BW__)
inline Lanes load_f16(const uint16_t* p) {
  return reinterpret_cast<Lanes>(_mm512_cvtph_ps(load<__m256i>(p)));
}
#elif defined(__AVX2__)
inline Lanes load_f16(const uint16_t* p) {
  return reinterpret_cast<Lanes>(_mm256_cvtph_ps(load<__m128i>(p)));
}
#else
inline Lanes load_f16(const uint16_t* p) {
  Lanes out;
  for (int i = 0; i < kLanes; i++) {
    // Exponent and fraction moved into a float's places; the factor 2^112 corrects the bias, subnormals too.
    const uint32_t bits = (p[i] & 0x7fffu) << 13;
    float f;
    __builtin_memcpy(&f, &bits, 4);
    f *= 5.192296858534828e33f;
    out[i] = p[i] & 0x8000u ? -f : f;
  }
  return out;
}
#endif

// |x| < 65504 is assumed.
void to_f16(const float* x, uint16_t* y, int n) {
  int i = 0;
#if defined(__AVX2__)
  for (; i + 8 <= n; i += 8) store(y + i, _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < n; i++) {
    uint32_t u;
    const float small = std::fabs(x[i]) * 1.925929944387236e-34f;  // 2^-112
    __builtin_memcpy(&u, &small, 4);
    u = (u + 0xfffu + ((u >> 13) & 1u)) >> 13;
    y[i] = static_cast<uint16_t>(u | (std::signbit(x[i]) ? 0x8000u : 0u));
  }
}

inline float total(Lanes v) {
#if defined(__AVX512BW__)
  return _mm512_reduce_add_ps(reinterpret_cast<__m512>(v));
#elif defined(__AVX2__)
  const auto w = reinterpret_cast<__m256>(v);
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(w), _mm256_extractf128_ps(w, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
#else
  float sum = 0;
  for (int i = 0; i < kLanes; i++) sum += v[i];
  return sum;
#endif
}

// Positions whose keys and values are fetched ahead: they lie apart, which no hardware foresees.
constexpr int kPositionsAhead = 8;

template <int kQueries>
void key_scores_f16_of(const float* q, int64_t q_stride, const uint16_t* keys, int n, float* scores,
                       int64_t stride) {
  constexpr int kVectors = kHead / kLanes;
  Lanes w[kQueries][kVectors];
  for (int i = 0; i < kQueries; i++) std::memcpy(w[i], q + i * q_stride, sizeof w[i]);
  for (int t = 0; t < n; t++, keys += kHead) {
    __builtin_prefetch(keys + kPositionsAhead * kHead);
    __builtin_prefetch(keys + kPositionsAhead * kHead + kHead / 2);
    Lanes k[kVectors];
    for (int v = 0; v < kVectors; v++) k[v] = load_f16(keys + v * kLanes);
    for (int i = 0; i < kQueries; i++) {
      Lanes sum = w[i][0] * k[0], other = w[i][1] * k[1];
      for (int v = 2; v < kVectors; v += 2) {
        sum += w[i][v] * k[v];
        other += w[i][v + 1] * k[v + 1];
      }
      scores[i * stride + t] = total(sum + other);
    }
  }
}

void key_scores_f16(const float* q, int64_t q_stride, int queries, const uint16_t* keys, int n, float* scores,
                    int64_t stride) {
  for_queries(queries, [&](auto count) {
    key_scores_f16_of<decltype(count)::value>(q, q_stride, keys, n, scores, stride);
  });
}

template <int kQueries>
void add_values_f16_of(const float* weights, int64_t stride, const uint16_t* values, int n, float* out,
                       int64_t out_stride) {
  constexpr int kVectors = kHead / kLanes;
  Lanes sum[kQueries][kVectors];
  for (int i = 0; i < kQueries; i++) std::memcpy(sum[i], out + i * out_stride, sizeof sum[i]);
  for (int t = 0; t < n; t++, values += kHead) {
    __builtin_prefetch(values + kPositionsAhead * kHead);
    __builtin_prefetch(values + kPositionsAhead * kHead + kHead / 2);
    for (int v = 0; v < kVectors; v++) {
      const Lanes x = load_f16(values + v * kLanes);
      for (int i = 0; i < kQueries; i++) sum[i][v] += weights[i * stride + t] * x;
    }
  }
  for (int i = 0; i < kQueries; i++) std::memcpy(out + i * out_stride, sum[i], sizeof sum[i]);
}

void add_values_f16(const float* weights, int64_t stride, int queries, const uint16_t* values, int n,
                    float* out, int64_t out_stride) {
  for_queries(queries, [&](auto count) {
    add_values_f16_of<decltype(count)::value>(weights, stride, values, n, out, out_stride);
  });
}

float maximum(const float* x, int n) {
  float m = x[0];
  for (int i = 0; i < n; i++) m = x[i] > m ? x[i] : m;
  return m;
}

// A network of exchanges that leaves the median in the middle (N. Devillard, "Fast median search").
void median_of_seven(const float* x, float* y, int n) {
  constexpr int kPairs[][2] = {{0, 5}, {0, 3}, {1, 6}, {2, 4}, {0, 1}, {3, 5}, {2, 6},
                               {2, 3}, {3, 6}, {4, 5}, {1, 4}, {1, 3}, {3, 4}};
  for (int first = 0; first < n; first += kLanes) {
    const int at = first + kLanes <= n ? first : n - kLanes;  // the last vector overlaps the one before
    if (at < 0) {
      for (int i = 0; i < n; i++) {
        float w[7];
        std::memcpy(w, x + i, sizeof w);
        for (const auto& p : kPairs) {
          const float a = w[p[0]], b = w[p[1]];
          w[p[0]] = a < b ? a : b;
          w[p[1]] = a < b ? b : a;
        }
        y[i] = w[3];
      }
      return;
    }
    Lanes w[7];
    for (int i = 0; i < 7; i++) w[i] = load<Lanes>(x + at + i);
#pragma GCC unroll 13
    for (const auto& p : kPairs) {
      const Lanes a = w[p[0]], b = w[p[1]];
      w[p[0]] = a < b ? a : b;
      w[p[1]] = a < b ? b : a;
    }
    store(y + at, w[3]);
  }
}
}  // namespace
}  // namespace amanuensis

#define AMANUENSIS_STEP_KERNELS(function)                                         \
  const StepKernels& function() {                                                 \
    static const StepKernels kernels{                                             \
        kDepth, quantise,       quantise_inputs, linear,  key_scores,     values, \
        to_f16, key_scores_f16, add_values_f16,  maximum, median_of_seven};       \
    return kernels;                                                               \
  }
