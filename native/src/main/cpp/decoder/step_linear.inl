#include "decoder/step_lanes.inl"

// The projections of a step. Included by one file per instruction set: see step_kernels.inl.
namespace amanuensis {
namespace {
// What a panel's sums come to: y[columns] = or += sum * scale + bias.
inline void put(const Ints* sum, float row_scale, const float* column, const float* bias, int64_t columns,
                float* y, bool add) {
  float out[kColumns] = {};
  if (add) std::memcpy(out, y, sizeof(float) * static_cast<size_t>(columns));
  for (int v = 0; v < kPanel; v++) {
    const Lanes scale = row_scale * load<Lanes>(column + v * kLanes);
    const Lanes term = to_float(sum[v]) * scale + load<Lanes>(bias + v * kLanes);
    store(out + v * kLanes, load<Lanes>(out + v * kLanes) + term);
  }
  std::memcpy(y, out, sizeof(float) * static_cast<size_t>(columns));
}
inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// What linear() was asked for.
struct Linear {
  const float* row_scale;
  int64_t k;
  const int8_t* packed;
  const int32_t* offset;
  const float *column, *bias;
  int64_t first, columns;
  float* y;
  int64_t ldy;
  bool add;
};

#if defined(__AVX512VNNI__) || defined(AMANUENSIS_AVX_VNNI)
constexpr int kDepth = 4;
#if defined(__AVX512VNNI__)
using Wide = __m512i;
inline Wide four_bytes(const uint8_t* p) { return _mm512_set1_epi32(load<int32_t>(p)); }
#else
using Wide = __m256i;
inline Wide four_bytes(const uint8_t* p) { return _mm256_set1_epi32(load<int32_t>(p)); }
#endif
constexpr int kMostRows = kPanel == 1 ? 8 : 6;  // whose sums fit into the registers

float quantise_inputs(const float* x, void* to, int n) {
  auto* q = static_cast<uint8_t*>(to);
  const float m = largest_magnitude(x, n);
  const float inv = m > 0 ? 127.0f / m : 0.0f;
  for (int i = 0; i < n; i++) {
    const float z = x[i] * inv + 12583040.0f;  // 1.5 * 2^23 + 128: see quantise()
    int32_t bits;
    __builtin_memcpy(&bits, &z, 4);
    q[i] = static_cast<uint8_t>(bits);
  }
  return m / 127.0f;
}

// kPanels panels of weights for kCount rows: enough sums to hide the latency of vpdpbusd. Weights come from
// memory: each panel's are fetched kAhead bytes ahead, those of the next panels at its end.
template <int kCount, int kPanels>
inline void tile(const uint8_t* a, int r, int64_t c, const Linear& l) {
  constexpr int64_t kAhead = 1024;
  constexpr int kVectors = kPanels * kPanel;
  Wide sum[kCount][kVectors];
  const int64_t panel = kColumns * l.k;
  const int8_t* w = l.packed + c * l.k;
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; v++) {
    const auto start = load<Wide>(l.offset + c + v * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kCount; i++) sum[i][v] = start;
  }
  for (int64_t at = 0; at < panel; at += 64) {
    const int64_t ahead = kAhead + (at + kAhead < panel ? 0 : (kPanels - 1) * panel);
    Wide weights[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; v++) {
      const int8_t* from = w + v / kPanel * panel + at + v % kPanel * static_cast<int>(sizeof(Wide));
      weights[v] = load<Wide>(from);
      if (v % kPanel == 0) __builtin_prefetch(from + ahead);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kCount; i++) {
      const Wide x = four_bytes(a + i * l.k + at / kColumns);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; v++) add_byte_products(sum[i][v], x, weights[v]);
    }
  }
  Ints sums[kCount][kVectors];  // a copy: indexing the sums themselves would keep them out of registers
#pragma GCC unroll 8
  for (int i = 0; i < kCount; i++)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; v++) sums[i][v] = reinterpret_cast<Ints>(sum[i][v]);
  for (int i = 0; i < kCount; i++)
    for (int p = 0; p < kPanels; p++) {
      const int64_t at = c + p * kColumns;
      put(&sums[i][p * kPanel], l.row_scale[r + i], l.column + at, l.bias + at,
          least(kColumns, l.first + l.columns - at), l.y + (r + i) * l.ldy + at, l.add);
    }
}

// All columns, for kCount rows from r on.
template <int kCount>
void rows_of(const uint8_t* a, int r, const Linear& l) {
  constexpr int kPanels = kPanel == 1 ? (kCount <= 4 ? 4 : 2) : (kCount == 1 ? 4 : kCount == 2 ? 2 : 1);
  int64_t c = l.first;
  const int64_t end = l.first + l.columns;
  for (; c + (kPanels - 1) * kColumns < end; c += kPanels * kColumns) tile<kCount, kPanels>(a, r, c, l);
  for (; c < end; c += kColumns) tile<kCount, 1>(a, r, c, l);
}

// The first `rows` rows, at most kCount.
template <int kCount = kMostRows>
void some_rows(int rows, const uint8_t* a, int r, const Linear& l) {
  if constexpr (kCount > 1)
    if (rows < kCount) return some_rows<kCount - 1>(rows, a, r, l);
  rows_of<kCount>(a, r, l);
}

void linear(const void* inputs, const float* row_scale, int rows, int64_t k, const int8_t* packed,
            const int32_t* offset, const float* column, const float* bias, int64_t first, int64_t columns,
            float* y, int64_t ldy, bool add) {
  const Linear l{row_scale, k, packed, offset, column, bias, first, columns, y, ldy, add};
  for (int r = 0; r < rows; r += kMostRows)
    some_rows(rows - r, static_cast<const uint8_t*>(inputs) + r * k, r, l);
}
#else
constexpr int kDepth = 2;

float quantise_inputs(const float* x, void* q, int n) {
  return quantise(x, static_cast<int16_t*>(q), n, 127.0f);
}

// The panel of weights at column c for kCount rows. Bytes `ahead`, `stride` apart for each pair of k, are
// fetched meanwhile.
template <int kCount>
inline void tile(const int16_t* a, int r, int64_t c, const Linear& l, const int8_t* ahead, int64_t stride) {
  Ints sum[kCount][kPanel] = {};
  const int8_t* w = l.packed + c * l.k;
  for (int64_t i = 0; i < l.k; i += 2, w += 2 * kColumns, ahead += stride) {
    __builtin_prefetch(ahead);
    Ints b[kPanel];
    for (int v = 0; v < kPanel; v++) b[v] = widen(w + v * 2 * kLanes);
    for (int j = 0; j < kCount; j++) {
      const Ints x = broadcast(a + j * l.k + i);
      for (int v = 0; v < kPanel; v++) sum[j][v] = add_products(sum[j][v], x, b[v]);
    }
  }
  for (int j = 0; j < kCount; j++)
    put(sum[j], l.row_scale[r + j], l.column + c, l.bias + c, least(kColumns, l.first + l.columns - c),
        l.y + (r + j) * l.ldy + c, l.add);
}

void linear(const void* inputs, const float* row_scale, int rows, int64_t k, const int8_t* packed,
            const int32_t* offset, const float* column, const float* bias, int64_t first, int64_t columns,
            float* y, int64_t ldy, bool add) {
  const Linear l{row_scale, k, packed, offset, column, bias, first, columns, y, ldy, add};
  constexpr int kAtOnce = 4;
  // Weights come from memory, and only the first rows that meet a panel would wait for it: each group of rows
  // fetches its part of the next one.
  const int64_t groups = (rows + kAtOnce - 1) / kAtOnce, stride = 2 * kColumns / groups;
  for (int64_t c = first; c < first + columns; c += kColumns)
    for (int r = 0; r < rows; r += kAtOnce) {
      const int8_t* next = packed + (c + kColumns) * k + r / kAtOnce * (k / 2 * stride);
      const int16_t* a = static_cast<const int16_t*>(inputs) + r * k;
      switch (rows - r) {
        case 1:
          tile<1>(a, r, c, l, next, stride);
          break;
        case 2:
          tile<2>(a, r, c, l, next, stride);
          break;
        case 3:
          tile<3>(a, r, c, l, next, stride);
          break;
        default:
          tile<4>(a, r, c, l, next, stride);
      }
    }
}
#endif
}  // namespace
}  // namespace amanuensis
