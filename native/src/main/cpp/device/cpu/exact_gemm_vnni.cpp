#include "device/cpu/exact_gemm.h"
#include "device/cpu/vnni.inl"

namespace amanuensis {

namespace {
constexpr int64_t kColumns = 16;        // of a panel: one register of int32
constexpr int kPanels = 2, kTile = 12;  // 24 sums: more than the latency of vpdpbusd on both of its ports
constexpr int64_t kBlockRows = 60;      // of a, in the caches for all panels
constexpr int64_t kMostK = 4096;

int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// The panels at one place of the columns.
struct Panels {
  const int8_t* w;
  int64_t bytes;  // of one
  const int32_t* offset;
  const int8_t* ahead;  // fetched meanwhile, a line for each four of k
};

// c[kRows x 16 kWide], its last columns beyond `columns` left alone. a: rows of `bytes / 16` unsigned bytes.
template <int kRows, int kWide>
inline void tile(const uint8_t* a, int64_t lda, const Panels& p, int32_t* c, int64_t ldc, int64_t columns) {
  __m512i sum[kRows][kWide];
#pragma GCC unroll 2
  for (int v = 0; v < kWide; v++) {
    const __m512i start = _mm512_loadu_si512(p.offset + v * kColumns);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) sum[r][v] = start;
  }
  const int8_t *w = p.w, *ahead = p.ahead;
  for (const int8_t* end = w + p.bytes; w < end; w += 64, a += 4, ahead += 64) {
    __builtin_prefetch(ahead);
    __m512i weights[kWide];
#pragma GCC unroll 2
    for (int v = 0; v < kWide; v++) weights[v] = _mm512_load_si512(w + v * p.bytes);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) {
      int32_t four;
      __builtin_memcpy(&four, a + r * lda, sizeof four);
      const __m512i x = _mm512_set1_epi32(four);
#pragma GCC unroll 2
      for (int v = 0; v < kWide; v++) add_byte_products(sum[r][v], x, weights[v]);
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < kWide; v++) {
    const int64_t here = columns - v * kColumns;
    const auto mask = static_cast<__mmask16>(here >= kColumns ? 0xffff : (1 << here) - 1);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) _mm512_mask_storeu_epi32(c + r * ldc + v * kColumns, mask, sum[r][v]);
  }
}

// kRows is at least the rows that are left: those of a block's last tile.
template <int kWide, int kRows = kTile>
void last_rows(int rows, const uint8_t* a, int64_t lda, const Panels& p, int32_t* c, int64_t ldc,
               int64_t columns) {
  if constexpr (kRows > 0) {
    if (rows == kRows) return tile<kRows, kWide>(a, lda, p, c, ldc, columns);
    last_rows<kWide, kRows - 1>(rows, a, lda, p, c, ldc, columns);
  }
}

template <int kWide>
void all_rows(const uint8_t* a, int64_t lda, int64_t rows, Panels p, int32_t* c, int64_t ldc,
              int64_t columns) {
  const int8_t* next = p.w + kWide * p.bytes;
  int64_t r = 0;
  for (int t = 0; r < rows; r += kTile, t++) {
    p.ahead = t < kWide ? next + t * p.bytes : p.w;
    last_rows<kWide>(static_cast<int>(least(kTile, rows - r)), a + r * lda, lda, p, c + r * ldc, ldc,
                     columns);
  }
}

void to_unsigned(const int8_t* from, uint8_t* to, int64_t n) {
  const __m512i top = _mm512_set1_epi8(static_cast<char>(0x80));
  for (int64_t i = 0; i < n; i += 64) {
    const auto mask = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from + i), top));
  }
}

void run(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m, int64_t k,
         int64_t n) {
  // Rows a cache line more than a power of two apart would share sets: 64 bytes spread them.
  alignas(64) static thread_local uint8_t block[kBlockRows * (kMostK + 64)];
  const auto* offset = static_cast<const int32_t*>(packed);
  const auto* w = reinterpret_cast<const int8_t*>(offset + padded(n, kColumns));
  const int64_t deep = padded(k, 8), apart = padded(k, 64) + 64;
  for (int64_t first = 0; first < m; first += kBlockRows) {
    const int64_t rows = least(kBlockRows, m - first);
    for (int64_t r = 0; r < rows; r++) to_unsigned(a + (first + r) * lda, block + r * apart, k);
    for (int64_t column = 0; column < n; column += kPanels * kColumns) {
      const Panels p{w + column * deep, kColumns * deep, offset + column, nullptr};
      const int64_t columns = n - column;
      int32_t* to = c + first * ldc + column;
      if (columns > kColumns)
        all_rows<kPanels>(block, apart, rows, p, to, ldc, columns);
      else
        all_rows<1>(block, apart, rows, p, to, ldc, columns);
    }
  }
}

}  // namespace

const ExactGemm& exact_gemm_vnni() {
  static const ExactGemm gemm{"avx512 vnni", 4, 8, run};
  return gemm;
}

}  // namespace amanuensis
