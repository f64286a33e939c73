// Exact s8 x s8 -> s32 matmul for machines without VNNI, where oneDNN's int8 kernels saturate: products are
// widened to int16 and summed in pairs into int32 (vpmaddwd), which can't overflow for k < 2^16.
#pragma once
#include <cstddef>
#include <cstdint>

namespace amanuensis {

/// Bytes of an n x k weight matrix packed for exact_gemm (k even; n is padded to 16).
size_t exact_packed_bytes(int64_t k, int64_t n);
/// rows: n x k int8 -> packed.
void exact_pack_rows(const int8_t* rows, int64_t k, int64_t n, void* packed);
/// columns: k x n int8 -> packed.
void exact_pack_columns(const int8_t* columns, int64_t k, int64_t n, void* packed);
/// c[m x n] = a[m x k] * w^T; rows of a and c are lda and ldc elements apart.
void exact_gemm_avx2(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m,
                     int64_t k, int64_t n);
void exact_gemm_generic(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m,
                        int64_t k, int64_t n);

}  // namespace amanuensis
