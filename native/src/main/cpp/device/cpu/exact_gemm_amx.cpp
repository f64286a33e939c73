#include "device/cpu/exact_gemm.h"

// As in int16_attention_avx2.cpp, nothing here may be the copy of a template that the linker keeps.
#if defined(AMANUENSIS_AMX)
#include "device/cpu/amx.inl"

namespace amanuensis {

namespace {
constexpr int64_t kColumns = 16;  // of a panel
// So many rows and so much of k at a time stay in the first level, while weights come from the second once.
constexpr int64_t kBlockRows = 64, kStretch = 512;
constexpr int64_t kMostK = 4096;

int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Where a product takes place: rows of a, panels of w, both from the stretch on; c.
struct Place {
  const int8_t* a;
  int64_t lda;
  const int8_t* w;
  int64_t panel;  // bytes from one to the next
  int32_t* c;
  int64_t ldc;
};

// c[16 kTall x 16 kWide] = or += a * w over `steps` times 64 of k.
template <int kTall, int kWide>
inline void tiles(const Place& p, int64_t steps, bool first) {
  const int64_t stride = first ? 0 : p.ldc * 4;
  const auto at = [&](int row, int column) -> const void* {
    return first ? static_cast<const void*>(kZeroRow) : p.c + row * kTileRows * p.ldc + column * kColumns;
  };
  load_tile<0>(at(0, 0), stride);
  if constexpr (kWide > 1) load_tile<1>(at(0, 1), stride);
  if constexpr (kTall > 1) load_tile<2>(at(1, 0), stride);
  if constexpr (kTall > 1 && kWide > 1) load_tile<3>(at(1, 1), stride);
  const int8_t *a = p.a, *below = p.a + kTileRows * p.lda, *w = p.w, *beside = p.w + p.panel;
  for (int64_t i = 0; i < steps; i++, a += 64, below += 64, w += kByteTile, beside += kByteTile) {
    load_tile<6>(w);
    load_tile<4>(a, p.lda);
    add_byte_tiles<0, 4, 6>();
    if constexpr (kWide > 1) load_tile<7>(beside), add_byte_tiles<1, 4, 7>();
    if constexpr (kTall > 1) load_tile<5>(below, p.lda), add_byte_tiles<2, 5, 6>();
    if constexpr (kTall > 1 && kWide > 1) add_byte_tiles<3, 5, 7>();
  }
  store_tile<0>(p.c, p.ldc * 4);
  if constexpr (kWide > 1) store_tile<1>(p.c + kColumns, p.ldc * 4);
  if constexpr (kTall > 1) store_tile<2>(p.c + kTileRows * p.ldc, p.ldc * 4);
  if constexpr (kTall > 1 && kWide > 1) store_tile<3>(p.c + kTileRows * p.ldc + kColumns, p.ldc * 4);
}

// At least 16 rows; columns and k fill panels and tiles.
void whole(const int8_t* a, int64_t lda, const int8_t* w, int32_t* c, int64_t ldc, int64_t m, int64_t k,
           int64_t n) {
  const int64_t tallest = m >= 2 * kTileRows ? 2 * kTileRows : kTileRows;
  for (int64_t block = 0; block < m; block += kBlockRows)
    for (int64_t from = 0; from < k; from += kStretch)
      for (int64_t column = 0; column < n; column += 2 * kColumns)
        for (int64_t r = block; r < least(m, block + kBlockRows); r += tallest) {
          const bool tall = m - r > kTileRows && tallest > kTileRows, wide = n - column > kColumns;
          const int64_t row = least(r, m - (tall ? tallest : kTileRows));
          // Where the last rows fill no tiles, some are computed once more: all of k, when the others are
          // done.
          const bool again = row < r;
          if (again && from + kStretch < k) continue;
          const int64_t first = again ? 0 : from, steps = (again ? k : least(kStretch, k - from)) / 64;
          const int8_t* panels = w + column * k + first * kColumns;
          const Place p{a + row * lda + first, lda, panels, kColumns * k, c + row * ldc + column, ldc};
          if (tall)
            wide ? tiles<2, 2>(p, steps, first == 0) : tiles<2, 1>(p, steps, first == 0);
          else
            wide ? tiles<1, 2>(p, steps, first == 0) : tiles<1, 1>(p, steps, first == 0);
        }
}

// Shapes that fill no tiles go through copies that do, 16 rows at a time.
void ragged(const int8_t* a, int64_t lda, const int8_t* w, int32_t* c, int64_t ldc, int64_t m, int64_t k,
            int64_t n) {
  alignas(64) static thread_local int8_t rows[kTileRows * kMostK];
  alignas(64) int32_t sums[kTileRows * kColumns];
  const int64_t deep = padded(k, 64);
  for (int64_t r = 0; r < m; r += kTileRows) {
    const int64_t here = least(kTileRows, m - r);
    __builtin_memset(rows, 0, static_cast<size_t>(kTileRows * deep));
    for (int64_t i = 0; i < here; i++)
      __builtin_memcpy(rows + i * deep, a + (r + i) * lda, static_cast<size_t>(k));
    for (int64_t column = 0; column < n; column += kColumns) {
      whole(rows, deep, w + column * deep, sums, kColumns, kTileRows, deep, kColumns);
      for (int64_t i = 0; i < here; i++)
        __builtin_memcpy(c + (r + i) * ldc + column, sums + i * kColumns,
                         sizeof(int32_t) * static_cast<size_t>(least(kColumns, n - column)));
    }
  }
}

void run(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m, int64_t k,
         int64_t n) {
  const TileUse use;
  const auto* w = static_cast<const int8_t*>(packed) + sizeof(int32_t) * padded(n, kColumns);
  if (m >= kTileRows && k % 64 == 0 && n % kColumns == 0)
    whole(a, lda, w, c, ldc, m, k, n);
  else
    ragged(a, lda, w, c, ldc, m, k, n);
}
}  // namespace

const ExactGemm* exact_gemm_amx() {
  static const ExactGemm gemm{"amx", 4, 64, run};
  return &gemm;
}

}  // namespace amanuensis
#else
namespace amanuensis {
const ExactGemm* exact_gemm_amx() { return nullptr; }
}  // namespace amanuensis
#endif
