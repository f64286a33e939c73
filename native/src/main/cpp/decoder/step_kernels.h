// Kernels of the decoder's step in the fast profile. Compiled once per instruction set, chosen at run time.
#pragma once
#include <cstdint>

namespace amanuensis {

/// int8 products are summed in int32 by way of int16 pairs (vpmaddwd) or, with VNNI, of unsigned bytes
/// (vpdpbusd). Both are exact, and so every result depends on its own row alone: not on how many rows share
/// the call. Head vectors have 64 elements.
struct StepKernels {
  static constexpr int kColumns = 16;     // outputs in a panel of weights
  static constexpr int kRows = 16;        // rows of keys and values come in multiples of this
  static constexpr int kMostQueries = 4;  // that share one pass over keys and values

  /// Inputs of one output that lie side by side in packed weights: 2, or 4 with VNNI.
  int depth;

  /// q[i] = round(x[i] * levels / max|x|), widened to int16; levels <= 32767. Returns max|x| / levels.
  float (*quantise)(const float* x, int16_t* q, int n, float levels);

  /// A row of linear's inputs: q[i] = round(x[i] * 127 / max|x|) as int16, or 128 more as bytes where depth
  /// is 4. Returns max|x| / 127.
  float (*quantise_inputs)(const float* x, void* q, int n);
  /// Columns [first, first + columns) of y = a W^T * (row_scale * column) + bias, or of y += the same.
  /// a: rows x k of what quantise_inputs wrote; packed: panels of [k / depth][16][depth] int8; offset: -128
  /// times the sum of each output's weights, not read where depth is 2; first a multiple of 16; offset,
  /// column and bias padded to it; y: rows x ldy f32.
  void (*linear)(const void* a, const float* row_scale, int rows, int64_t k, const int8_t* packed,
                 const int32_t* offset, const float* column, const float* bias, int64_t first,
                 int64_t columns, float* y, int64_t ldy, bool add);

  /// scores[i][t] = (q[i] . keys[t]) * scale[i] * key_scale[t] + bias[t] for t < rows (a multiple of kRows)
  /// and i < queries. q: queries x 64; keys: [rows / 16][32][16][2]; scores: `stride` floats apart.
  void (*key_scores)(const int16_t* q, const float* scale, int queries, const int8_t* keys,
                     const float* key_scale, const float* bias, int rows, float* scores, int64_t stride);
  /// out[i][64] = sum over t of weights[i][t] * value_scale[t] * values[t]. weights: `stride` apart,
  /// overwritten; values: [rows / 2][64][2].
  void (*values)(float* weights, int64_t stride, int queries, const int8_t* values, const float* value_scale,
                 int rows, float* const* out);

  /// f16, rounded to nearest even.
  void (*to_f16)(const float* x, uint16_t* y, int n);
  /// scores[i][t] = q[i] . keys[t] for i < queries and t < n. q: `q_stride` apart; keys: n x 64; scores:
  /// `stride` apart.
  void (*key_scores_f16)(const float* q, int64_t q_stride, int queries, const uint16_t* keys, int n,
                         float* scores, int64_t stride);
  /// out[i][64] += sum of weights[i][t] * values[t], t ascending. weights: `stride` apart; values: n x 64;
  /// out: `out_stride` apart.
  void (*add_values_f16)(const float* weights, int64_t stride, int queries, const uint16_t* values, int n,
                         float* out, int64_t out_stride);

  /// Largest of x[0 .. n).
  float (*maximum)(const float* x, int n);
  /// y[i] = median of x[i .. i + 6] for i < n.
  void (*median_of_seven)(const float* x, float* y, int n);
};

const StepKernels& step_kernels_vnni();  // AVX-512 VNNI
const StepKernels&
step_kernels_avx_vnni();  // the avx2 ones if the assembler of the build did not know AVX-VNNI
const StepKernels& step_kernels_avx512();
const StepKernels& step_kernels_avx2();
const StepKernels& step_kernels_generic();
/// The widest this machine runs; see row_kernels().
const StepKernels& step_kernels();

}  // namespace amanuensis
