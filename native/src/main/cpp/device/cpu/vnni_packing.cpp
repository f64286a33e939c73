#include <cstring>

#include "device/cpu/exact_gemm_vnni.h"

namespace amanuensis {

namespace {
constexpr int64_t kColumns = 16, kDepth = 4;
int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

template <class At>
void pack(int64_t k, int64_t n, void* packed, At at) {
  auto* offset = static_cast<int32_t*>(packed);
  auto* to = reinterpret_cast<int8_t*>(offset + padded(n, kColumns));
  std::memset(packed, 0, vnni_packed_bytes(k, n));
  for (int64_t first = 0; first < n; first += kColumns)
    for (int64_t i = 0; i < k; i += kDepth)
      for (int64_t c = first; c < first + kColumns; c++, to += kDepth)
        for (int64_t j = i; j < i + kDepth && j < k && c < n; j++) {
          to[j - i] = at(c, j);
          offset[c] -= 128 * at(c, j);
        }
}
}  // namespace

size_t vnni_packed_bytes(int64_t k, int64_t n) {
  return static_cast<size_t>(padded(n, kColumns) * (4 + padded(k, kDepth)));
}
void vnni_pack_rows(const int8_t* rows, int64_t k, int64_t n, void* packed) {
  pack(k, n, packed, [=](int64_t c, int64_t j) { return rows[c * k + j]; });
}
void vnni_pack_columns(const int8_t* columns, int64_t k, int64_t n, void* packed) {
  pack(k, n, packed, [=](int64_t c, int64_t j) { return columns[j * n + c]; });
}

}  // namespace amanuensis
