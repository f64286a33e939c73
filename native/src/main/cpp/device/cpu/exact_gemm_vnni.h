// Exact s8 x s8 -> s32 matmul on AVX-512 VNNI: vpdpbusd sums products of bytes, a shifted by 128 to unsigned
// and the sums put right again by what 128 times the weights come to.
#pragma once
#include <cstddef>
#include <cstdint>

namespace amanuensis {

/// Bytes of an n x k weight matrix packed for vnni_gemm: n offsets (padded to 16), then panels of
/// [k / 4][16][4], k padded with zeros.
size_t vnni_packed_bytes(int64_t k, int64_t n);
/// rows: n x k int8 -> packed, which is 64-byte aligned.
void vnni_pack_rows(const int8_t* rows, int64_t k, int64_t n, void* packed);
/// columns: k x n int8 -> packed.
void vnni_pack_columns(const int8_t* columns, int64_t k, int64_t n, void* packed);
/// c[m x n] = a[m x k] * w^T; rows of a and c are lda and ldc elements apart. Needs AVX-512 VNNI.
void vnni_gemm(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m,
               int64_t k, int64_t n);

}  // namespace amanuensis
