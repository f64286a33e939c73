#include <immintrin.h>

// Included by one file per instruction set, each compiled with its own flags: no linkage, no state, no
// includes of ours, so that nothing compiled for a wide ISA can be picked for a narrow one.
#include <cmath>
#include <cstring>
#include <type_traits>
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
#if defined(__AVX512BW__)
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

float quantise(const float* x, int16_t* q, int n, float levels) {
  float m = 0;
  for (int i = 0; i < n; i++) {
    const float a = std::fabs(x[i]);
    m = a > m ? a : m;
  }
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

// One panel of weights for kCount rows. Bytes `ahead`, `stride` apart for each pair of k, are fetched
// meanwhile.
template <int kCount>
inline void tile(const int16_t* a, const float* row_scale, int64_t k, const int8_t* w, const float* column,
                 const float* bias, int64_t columns, float* y, int64_t ldy, bool add, const int8_t* ahead,
                 int64_t stride) {
  Ints sum[kCount][kPanel] = {};
  for (int64_t i = 0; i < k; i += 2, w += 2 * kColumns, ahead += stride) {
    __builtin_prefetch(ahead);
    Ints b[kPanel];
    for (int v = 0; v < kPanel; v++) b[v] = widen(w + v * 2 * kLanes);
    for (int r = 0; r < kCount; r++) {
      const Ints x = broadcast(a + r * k + i);
      for (int v = 0; v < kPanel; v++) sum[r][v] = add_products(sum[r][v], x, b[v]);
    }
  }
  for (int r = 0; r < kCount; r++) {
    float* to = y + r * ldy;
    float out[kColumns] = {};
    if (add) std::memcpy(out, to, sizeof(float) * static_cast<size_t>(columns));
    for (int v = 0; v < kPanel; v++) {
      const Lanes scale = row_scale[r] * load<Lanes>(column + v * kLanes);
      const Lanes term = to_float(sum[r][v]) * scale + load<Lanes>(bias + v * kLanes);
      store(out + v * kLanes, load<Lanes>(out + v * kLanes) + term);
    }
    std::memcpy(to, out, sizeof(float) * static_cast<size_t>(columns));
  }
}

void linear(const int16_t* a, const float* row_scale, int rows, int64_t k, const int8_t* packed,
            const float* column, const float* bias, int64_t first, int64_t columns, float* y, int64_t ldy,
            bool add) {
  constexpr int kAtOnce = 4;
  // Weights come from memory, and only the first rows that meet a panel would wait for it: each group of rows
  // fetches its part of the next one.
  const int64_t groups = (rows + kAtOnce - 1) / kAtOnce, stride = 2 * kColumns / groups;
  for (int64_t c = first; c < first + columns; c += kColumns) {
    const int64_t here = first + columns - c < kColumns ? first + columns - c : kColumns;
    const auto run = [&](auto count, int r) {
      const int8_t* next = packed + (c + kColumns) * k + r / kAtOnce * (k / 2 * stride);
      tile<decltype(count)::value>(a + r * k, row_scale + r, k, packed + c * k, column + c, bias + c, here,
                                   y + r * ldy + c, ldy, add, next, stride);
    };
    int r = 0;
    for (; r + kAtOnce <= rows; r += kAtOnce) run(std::integral_constant<int, 4>(), r);
    if (rows - r == 3) run(std::integral_constant<int, 3>(), r);
    if (rows - r == 2) run(std::integral_constant<int, 2>(), r);
    if (rows - r == 1) run(std::integral_constant<int, 1>(), r);
  }
}

template <int kQueries>
void key_scores_of(const int16_t* q, const float* scale, const int8_t* keys, const float* key_scale,
                   const float* bias, int rows, float* scores, int64_t stride) {
  for (int first = 0; first < rows; first += 16, keys += 16 * kHead) {
    Ints sum[kQueries][kPanel] = {};
    for (int d = 0; d < kHead; d += 2) {
      Ints b[kPanel];
      for (int v = 0; v < kPanel; v++) b[v] = widen(keys + d * 16 + v * 2 * kLanes);
      for (int i = 0; i < kQueries; i++) {
        const Ints x = broadcast(q + i * kHead + d);
        for (int v = 0; v < kPanel; v++) sum[i][v] = add_products(sum[i][v], x, b[v]);
      }
    }
    for (int i = 0; i < kQueries; i++)
      for (int v = 0; v < kPanel; v++) {
        const int t = first + v * kLanes;
        const Lanes factor = scale[i] * load<Lanes>(key_scale + t);
        store(scores + i * stride + t, to_float(sum[i][v]) * factor + load<Lanes>(bias + t));
      }
  }
}

void key_scores(const int16_t* q, const float* scale, int queries, const int8_t* keys, const float* key_scale,
                const float* bias, int rows, float* scores, int64_t stride) {
  const auto run = [&](auto count) {
    key_scores_of<decltype(count)::value>(q, scale, keys, key_scale, bias, rows, scores, stride);
  };
  if (queries == 4) run(std::integral_constant<int, 4>());
  if (queries == 3) run(std::integral_constant<int, 3>());
  if (queries == 2) run(std::integral_constant<int, 2>());
  if (queries == 1) run(std::integral_constant<int, 1>());
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
  const auto run = [&](auto count) {
    values_of<decltype(count)::value>(weights, stride, values, value_scale, rows, out);
  };
  if (queries == 4) run(std::integral_constant<int, 4>());
  if (queries == 3) run(std::integral_constant<int, 3>());
  if (queries == 2) run(std::integral_constant<int, 2>());
  if (queries == 1) run(std::integral_constant<int, 1>());
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

void from_f16(const uint16_t* x, float* y, int n) {
  for (int i = 0; i < n; i += kLanes) store(y + i, load_f16(x + i));
}

void key_scores_f16(const float* q, const uint16_t* keys, int64_t stride, int n, float* scores) {
  constexpr int kVectors = kHead / kLanes;
  Lanes w[kVectors];
  std::memcpy(w, q, sizeof w);
  for (int t = 0; t < n; t++) {
    const uint16_t* k = keys + t * stride;
    Lanes sum = w[0] * load_f16(k), other = w[1] * load_f16(k + kLanes);
    for (int v = 2; v < kVectors; v += 2) {
      sum += w[v] * load_f16(k + v * kLanes);
      other += w[v + 1] * load_f16(k + (v + 1) * kLanes);
    }
    sum += other;
    float total = 0;
    for (int i = 0; i < kLanes; i++) total += sum[i];
    scores[t] = total;
  }
}

void add_values_f16(const float* weights, const uint16_t* values, int64_t stride, int n, float* out) {
  constexpr int kVectors = kHead / kLanes;
  Lanes sum[kVectors];
  std::memcpy(sum, out, sizeof sum);
  for (int t = 0; t < n; t++)
    for (int v = 0; v < kVectors; v++) sum[v] += weights[t] * load_f16(values + t * stride + v * kLanes);
  std::memcpy(out, sum, sizeof sum);
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

#define AMANUENSIS_STEP_KERNELS(function)                                                                 \
  const StepKernels& function() {                                                                         \
    static const StepKernels kernels{quantise, linear,         key_scores,     values,  to_f16,           \
                                     from_f16, key_scores_f16, add_values_f16, maximum, median_of_seven}; \
    return kernels;                                                                                       \
  }
