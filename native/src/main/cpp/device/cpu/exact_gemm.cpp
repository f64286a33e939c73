#include "device/cpu/exact_gemm.h"

#include <cstring>

namespace amanuensis {

namespace {
constexpr int64_t kColumns = 16;  // two vectors of eight columns

// Panel of 16 columns, then pairs of k: 16 columns x (k, k + 1).
template <class At>
void pack(int64_t k, int64_t n, void* packed, At at) {
  auto* to = static_cast<int8_t*>(packed);
  for (int64_t first = 0; first < n; first += kColumns)
    for (int64_t i = 0; i < k; i += 2)
      for (int64_t c = first; c < first + kColumns; c++)
        for (int64_t j = i; j < i + 2; j++) *to++ = c < n ? at(c, j) : int8_t{0};
}
}  // namespace

size_t exact_packed_bytes(int64_t k, int64_t n) {
  return static_cast<size_t>((n + kColumns - 1) / kColumns * kColumns * k);
}
void exact_pack_rows(const int8_t* rows, int64_t k, int64_t n, void* packed) {
  pack(k, n, packed, [=](int64_t c, int64_t j) { return rows[c * k + j]; });
}
void exact_pack_columns(const int8_t* columns, int64_t k, int64_t n, void* packed) {
  pack(k, n, packed, [=](int64_t c, int64_t j) { return columns[j * n + c]; });
}

void exact_gemm_generic(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m,
                        int64_t k, int64_t n) {
  const auto* w = static_cast<const int8_t*>(packed);
  for (int64_t first = 0; first < n; first += kColumns, w += kColumns * k)
    for (int64_t r = 0; r < m; r++) {
      int32_t sum[kColumns] = {};
      for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < kColumns; j++)
          sum[j] += a[r * lda + i] * w[(i / 2 * kColumns + j) * 2 + i % 2];
      const int64_t columns = n - first < kColumns ? n - first : kColumns;
      std::memcpy(c + r * ldc + first, sum, sizeof(int32_t) * static_cast<size_t>(columns));
    }
}
}  // namespace amanuensis
