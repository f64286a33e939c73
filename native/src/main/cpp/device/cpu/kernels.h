// Row kernels: the arithmetic between the GEMMs. Compiled once per instruction set, chosen at run time.
#pragma once
#include <cstdint>

namespace amanuensis {

/// Rows of n elements, row-major. A scale turns an int8 row back: x ~ q * scale.
/// Each result depends on its own row alone. Head vectors have 64 elements.
struct RowKernels {
  static constexpr int kSpectrumLanes = 8;
  const char* isa;

  // ---- log-mel
  /// kSpectrumLanes frames of 400 samples, 160 apart (pcm holds 1520), times window -> power: 201 bins of
  /// |X|^2, the frames side by side.
  void (*power_spectrum_400)(const int16_t* pcm, const double* window, double* power);
  /// log10(max(sum of weights[i] * power[i], 1e-10)) of n bins for each frame; power as above, log: one per
  /// frame.
  void (*mel_log10)(const double* power, const float* weights, int n, float* log);

  // ---- LayerNorm (eps 1e-5) and quantisation
  void (*layer_norm)(const float* x, const float* gamma, const float* beta, float* y, int n);
  /// LayerNorm, then int8; scratch: n f32. Returns the scale.
  float (*layer_norm_quantise)(const float* x, const float* gamma, const float* beta, float* scratch,
                               int8_t* q, int n);
  float (*quantise)(const float* x, int8_t* q, int n);
  /// All 256 levels between the smallest and the largest: x ~ (q + shift) * scale, shift an integer. For rows
  /// that are mostly on one side of zero, as GELU leaves them.
  float (*quantise_range)(const float* x, int8_t* q, int n, float* shift);

  // ---- epilogues of int8 GEMMs: v = acc * (row * column[i]) + bias[i]
  void (*dequantise_f32)(const int32_t* acc, float row, const float* column, const float* bias, float* y,
                         int n);
  void (*dequantise_add)(const int32_t* acc, float row, const float* column, const float* bias, float* y,
                         int n);
  /// The bias of a row that was quantised by its range: y = bias + shift * sums; shift is already times the
  /// row's scale, sums are LinearWeights'.
  void (*shift_bias)(const float* bias, float shift, const float* sums, float* y, int n);
  /// gelu(v), requantised by its range; scratch: n f32. Returns the new scale.
  float (*dequantise_gelu_quantise)(const int32_t* acc, float row, const float* column, const float* bias,
                                    float* scratch, int8_t* q, int n, float* shift);

  // ---- epilogues of f32 GEMMs
  void (*bias_f32)(const float* acc, const float* bias, float* y, int n);
  void (*bias_add)(const float* acc, const float* bias, float* y, int n);
  void (*bias_gelu_f32)(const float* acc, const float* bias, float* y, int n);

  /// y may be x.
  void (*gelu_f32)(const float* x, float* y, int n);

  // ---- softmax
  /// p[i] = exp(s[i] - max); returns 1 / sum of the p as stored.
  float (*softmax_f32)(const float* s, float* p, int n);
  /// max + log(sum(exp(x - max))); -inf for a row of -inf.
  float (*log_sum_exp)(const float* x, int n);

  // ---- attention of one head and one query
  /// scores[t] = q . keys[t]; keys are `stride` floats apart.
  void (*key_scores_f32)(const float* q, const float* keys, int64_t stride, int n, float* scores);
  /// out[64] += sum of weights[t] * values[t], t ascending.
  void (*add_values_f32)(const float* weights, const float* values, int64_t stride, int n, float* out);
};

const RowKernels& row_kernels_avx512();
const RowKernels& row_kernels_avx2();
const RowKernels& row_kernels_generic();
/// The widest this machine runs, no wider than what ONEDNN_MAX_CPU_ISA allows oneDNN.
const RowKernels& row_kernels();

}  // namespace amanuensis
