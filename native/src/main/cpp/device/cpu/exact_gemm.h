// Exact s8 x s8 -> s32 matmuls of our own. Without VNNI oneDNN's saturate: ours widen to int16 and sum pairs
// into int32 (vpmaddwd), which can't overflow for k < 2^16. With AVX-512 VNNI ours are faster: vpdpbusd sums
// products of bytes, a shifted by 128 to unsigned, and each sum begins with -128 times its weights. AMX's
// tiles of weights are panels of that layout and multiply signed bytes.
#pragma once
#include <cstddef>
#include <cstdint>

namespace amanuensis {

/// A kernel with the layout of its weights. Panels of 16 columns: [k / depth][16][depth] int8, k (to a
/// multiple of padding) and n padded with zeros; with depth 4 n int32 (padded to 16) lie before them, the
/// offsets that the sums begin with (unused on AMX). Packed memory is 64-byte aligned.
struct ExactGemm {
  const char* isa;
  int depth;    // 2, or 4 with VNNI and AMX
  int padding;  // of k
  /// c[m x n] = a[m x k] * w^T; rows of a and c are lda and ldc elements apart.
  void (*run)(const int8_t* a, int64_t lda, const void* packed, int32_t* c, int64_t ldc, int64_t m, int64_t k,
              int64_t n);

  size_t packed_bytes(int64_t k, int64_t n) const;
  /// rows: n x k int8 -> packed.
  void pack_rows(const int8_t* rows, int64_t k, int64_t n, void* packed) const;
  /// columns: k x n int8 -> packed.
  void pack_columns(const int8_t* columns, int64_t k, int64_t n, void* packed) const;
};

const ExactGemm& exact_gemm_generic();
const ExactGemm& exact_gemm_avx2();
/// Null if the assembler of the build did not know AVX-VNNI.
const ExactGemm* exact_gemm_avx_vnni();
const ExactGemm& exact_gemm_vnni();
/// Null if the build's compiler and assembler did not know AMX. k at most 4096.
const ExactGemm* exact_gemm_amx();

}  // namespace amanuensis
