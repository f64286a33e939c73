#include "device/cpu/exact_gemm.h"

#include <cstring>

namespace amanuensis {

namespace {
constexpr int64_t kColumns = 16;
int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

size_t offset_bytes(int depth, int64_t n) {
  return depth == 4 ? sizeof(int32_t) * static_cast<size_t>(padded(n, kColumns)) : 0;
}

template <class At>
void pack(const ExactGemm& gemm, int64_t k, int64_t n, void* packed, At at) {
  std::memset(packed, 0, gemm.packed_bytes(k, n));
  auto* offset = static_cast<int32_t*>(packed);
  auto* to = static_cast<int8_t*>(packed) + offset_bytes(gemm.depth, n);
  for (int64_t first = 0; first < n; first += kColumns)
    for (int64_t i = 0; i < padded(k, gemm.padding); i += gemm.depth)
      for (int64_t c = first; c < first + kColumns; c++, to += gemm.depth)
        for (int64_t j = i; j < i + gemm.depth && j < k && c < n; j++) {
          to[j - i] = at(c, j);
          if (gemm.depth == 4) offset[c] -= 128 * at(c, j);
        }
}

void run_generic(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m,
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
}  // namespace

size_t ExactGemm::packed_bytes(int64_t k, int64_t n) const {
  return offset_bytes(depth, n) + static_cast<size_t>(padded(n, kColumns) * padded(k, padding));
}
void ExactGemm::pack_rows(const int8_t* rows, int64_t k, int64_t n, void* packed) const {
  pack(*this, k, n, packed, [=](int64_t c, int64_t j) { return rows[c * k + j]; });
}
void ExactGemm::pack_columns(const int8_t* columns, int64_t k, int64_t n, void* packed) const {
  pack(*this, k, n, packed, [=](int64_t c, int64_t j) { return columns[j * n + c]; });
}

const ExactGemm& exact_gemm_generic() {
  static const ExactGemm gemm{"generic", 2, 2, run_generic};
  return gemm;
}

}  // namespace amanuensis
