// The encoder's arithmetic around its GEMMs; internal to encoder/.
#pragma once
#include <cstring>

#include "device/cpu/kernels.h"
#include "encoder/encoder_weights.h"

namespace amanuensis {

/// The steps around a GEMM in each arithmetic: what makes a row of its inputs, and what takes a row of its
/// sums. n is the row length.
template <Arithmetic A>
struct GemmSteps;

template <>
struct GemmSteps<Arithmetic::kInt8> {
  using Input = int8_t;
  using Sum = int32_t;
  static float norm(const RowKernels& k, const float* x, const Norm& w, float* scratch, Input* q, int n) {
    return k.layer_norm_quantise(x, w.gamma.data(), w.beta.data(), scratch, q, n);
  }
  static float take(const RowKernels& k, const float* x, Input* q, int n) { return k.quantise(x, q, n); }
  static float take_range(const RowKernels& k, const float* x, Input* q, int n, float& shift) {
    return k.quantise_range(x, q, n, &shift);
  }
  /// The bias of a row whose input take_range or gelu quantised.
  static const float* bias(const RowKernels& k, const LinearWeights& w, float scale, float shift,
                           float* scratch) {
    k.shift_bias(w.bias.data(), scale * shift, w.sums.data(), scratch, static_cast<int>(w.n));
    return scratch;
  }
  static void store(const RowKernels& k, const Sum* a, float scale, const LinearWeights& w, const float* bias,
                    int at, float* y, int n) {
    k.dequantise_f32(a + at, scale, w.scale.data() + at, bias + at, y, n);
  }
  static void add(const RowKernels& k, const Sum* a, float scale, const LinearWeights& w, const float* bias,
                  float* y, int n) {
    k.dequantise_add(a, scale, w.scale.data(), bias, y, n);
  }
  static float gelu(const RowKernels& k, const Sum* a, float scale, const LinearWeights& w, float* scratch,
                    Input* q, int n, float& shift) {
    return k.dequantise_gelu_quantise(a, scale, w.scale.data(), w.bias.data(), scratch, q, n, &shift);
  }
};

template <>
struct GemmSteps<Arithmetic::kF32> {
  using Input = float;
  using Sum = float;
  static float norm(const RowKernels& k, const float* x, const Norm& w, float*, Input* q, int n) {
    k.layer_norm(x, w.gamma.data(), w.beta.data(), q, n);
    return 1;
  }
  static float take(const RowKernels&, const float* x, Input* q, int n) {
    std::memcpy(q, x, sizeof(float) * static_cast<size_t>(n));
    return 1;
  }
  static float take_range(const RowKernels& k, const float* x, Input* q, int n, float&) {
    return take(k, x, q, n);
  }
  static const float* bias(const RowKernels&, const LinearWeights& w, float, float, float*) {
    return w.bias.data();
  }
  static void store(const RowKernels& k, const Sum* a, float, const LinearWeights&, const float* bias, int at,
                    float* y, int n) {
    k.bias_f32(a + at, bias + at, y, n);
  }
  static void add(const RowKernels& k, const Sum* a, float, const LinearWeights&, const float* bias, float* y,
                  int n) {
    k.bias_add(a, bias, y, n);
  }
  static float gelu(const RowKernels& k, const Sum* a, float, const LinearWeights& w, float*, Input* q, int n,
                    float&) {
    k.bias_gelu_f32(a, w.bias.data(), q, n);
    return 1;
  }
};

}  // namespace amanuensis
