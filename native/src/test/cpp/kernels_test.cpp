#include "device/cpu/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "device/cpu/exact_gemm.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"
#include "gaussian.h"

namespace amanuensis {
namespace {

// The ISA of row_kernels() is the widest that may be entered here.
std::vector<const RowKernels*> runnable() {
  std::vector<const RowKernels*> all{&row_kernels_generic()};
  if (&row_kernels() != &row_kernels_generic()) all.push_back(&row_kernels_avx2());
  if (&row_kernels() == &row_kernels_avx512()) all.push_back(&row_kernels_avx512());
  return all;
}

std::vector<int8_t> extremes(int64_t n, unsigned seed) {
  std::mt19937 g(seed);
  std::vector<int8_t> v(static_cast<size_t>(n));
  for (auto& x : v) x = g() % 2 == 0 ? 127 : -127;
  return v;
}

TEST(RowKernels, SoftmaxSumsToOneAndMatchesDoubles) {
  const auto x = gaussian(1500, 1, 3);
  for (const auto* k : runnable()) {
    std::vector<float> p(x.size());
    const float inverse = k->softmax_f32(x.data(), p.data(), 1500);
    double sum = 0;
    for (float s : x) sum += std::exp(static_cast<double>(s));
    for (size_t i = 0; i < x.size(); i++)
      EXPECT_NEAR(p[i] * inverse, std::exp(static_cast<double>(x[i])) / sum, 1e-7) << k->isa;
  }
}

TEST(RowKernels, GeluIsTheErfForm) {
  const auto x = gaussian(512, 2, 3), bias = gaussian(512, 9, 3);
  const auto exact = [](float v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); };
  for (const auto* k : runnable()) {
    std::vector<float> alone(x), biased(512);
    k->gelu_f32(alone.data(), alone.data(), 512);
    k->bias_gelu_f32(x.data(), bias.data(), biased.data(), 512);
    for (size_t i = 0; i < x.size(); i++) {
      EXPECT_NEAR(alone[i], exact(x[i]), 2e-6) << k->isa;
      EXPECT_NEAR(biased[i], exact(x[i] + bias[i]), 2e-6) << k->isa;
    }
  }
}

TEST(RowKernels, QuantisedRowsComeBackWithinHalfAStep) {
  const auto x = gaussian(512, 3, 3);
  for (const auto* k : runnable()) {
    std::vector<int8_t> q(512);
    const float scale = k->quantise(x.data(), q.data(), 512);
    for (size_t i = 0; i < q.size(); i++) EXPECT_NEAR(q[i] * scale, x[i], scale * 0.5001) << k->isa;
  }
}

// Of one sign, of both, and without zero among them.
TEST(RowKernels, RowsQuantisedByTheirRangeComeBackWithinHalfAStep) {
  auto positive = gaussian(512, 6, 3), both = gaussian(512, 7, 3), far = gaussian(512, 8, 3);
  for (auto& x : positive) x = std::fabs(x) - 0.17f;
  for (auto& x : far) x += 10;
  for (const auto* k : runnable())
    for (const auto& x : {positive, both, far}) {
      std::vector<int8_t> q(512);
      float shift = 0;
      const float scale = k->quantise_range(x.data(), q.data(), 512, &shift);
      for (size_t i = 0; i < q.size(); i++)
        EXPECT_NEAR((static_cast<float>(q[i]) + shift) * scale, x[i], scale * 0.501) << k->isa;
      EXPECT_EQ(shift, std::nearbyint(shift)) << k->isa;
    }
}

TEST(RowKernels, RowOfZerosQuantisesToZero) {
  const std::vector<float> x(64);
  std::vector<int8_t> q(64, 1);
  EXPECT_EQ(row_kernels().quantise(x.data(), q.data(), 64), 0.0f);
  EXPECT_EQ(q, std::vector<int8_t>(64));
  float shift = 1;
  EXPECT_EQ(row_kernels().quantise_range(x.data(), q.data(), 64, &shift), 0.0f);
  EXPECT_EQ(shift, 0.0f);
}

TEST(RowKernels, PowerSpectrumIsThatOfTheDefinition) {
  constexpr int kLanes = RowKernels::kSpectrumLanes;
  const auto x = gaussian(1520, 4, 3);
  std::vector<int16_t> pcm(x.size());
  for (size_t i = 0; i < pcm.size(); i++) pcm[i] = static_cast<int16_t>(5000 * x[i]);
  std::vector<double> window(400);
  for (size_t n = 0; n < window.size(); n++) window[n] = static_cast<double>(n + 1) / 400 / 5000;
  for (const auto* k : runnable()) {
    std::vector<double> power(201 * kLanes);
    k->power_spectrum_400(pcm.data(), window.data(), power.data());
    for (int lane = 0; lane < kLanes; lane++)
      for (int bin = 0; bin <= 200; bin++) {
        double re = 0, im = 0;
        for (int n = 0; n < 400; n++) {
          const double angle = 2 * std::acos(-1.0) * bin * n / 400;
          const double sample = pcm[static_cast<size_t>(160 * lane + n)] * window[static_cast<size_t>(n)];
          re += sample * std::cos(angle);
          im -= sample * std::sin(angle);
        }
        EXPECT_NEAR(power[static_cast<size_t>(bin * kLanes + lane)], re * re + im * im, 1e-9) << k->isa;
      }
  }
}

TEST(RowKernels, MelBandIsTheLogarithmOfItsWeightedSum) {
  constexpr int kLanes = RowKernels::kSpectrumLanes;
  std::vector<double> power(3 * kLanes);
  const std::vector<float> weights{0.25f, 1.0f, 0.5f};
  for (size_t lane = 0; lane < kLanes; lane++)
    for (size_t i = 0; i < 3; i++)
      power[i * kLanes + lane] = std::pow(10.0, 3.7 * static_cast<double>(lane) - 14) * (1.5 + 0.3 * i);
  for (const auto* k : runnable()) {
    std::vector<float> log(kLanes);
    k->mel_log10(power.data(), weights.data(), 3, log.data());
    for (size_t lane = 0; lane < kLanes; lane++) {
      double sum = 0;
      for (size_t i = 0; i < 3; i++) sum += weights[i] * power[i * kLanes + lane];
      EXPECT_NEAR(log[lane], std::log10(std::max(sum, 1e-10)), 1e-6) << k->isa << " " << lane;
    }
  }
}

TEST(RowKernels, LogSumExpLeavesMaskedValuesOut) {
  std::vector<float> x(48, -INFINITY);
  x[5] = 1;
  x[40] = 2;
  for (const auto* k : runnable())
    EXPECT_NEAR(k->log_sum_exp(x.data(), 48), std::log(std::exp(1.0) + std::exp(2.0)), 1e-5) << k->isa;
}

// Products of +-127 overflow int16 pairs, so a saturating kernel can't pass.
TEST(Int8Matmul, IsExactAtTheExtremes) {
  for (const auto& [m, k, n] : {std::array<int64_t, 3>{60, 512, 96},
                                {125, 1028, 33},
                                {5, 64, 50},
                                {1, 2048, 33},
                                {67, 70, 48},
                                {125, 2048, 64},
                                {40, 1088, 48},
                                {20, 128, 16},
                                {16, 64, 32},
                                {33, 2112, 16}}) {
    const auto a = extremes(m * k, 5), w = extremes(n * k, 6);
    std::vector<int32_t> expected(static_cast<size_t>(m * n));
    for (int64_t r = 0; r < m; r++)
      for (int64_t c = 0; c < n; c++)
        for (int64_t i = 0; i < k; i++)
          expected[static_cast<size_t>(r * n + c)] +=
              a[static_cast<size_t>(r * k + i)] * w[static_cast<size_t>(c * k + i)];

    using Type = Matmul::Type;
    Matmul matmul(Type::s8, Type::s8, Type::s32, m, k, n, k, n);
    std::vector<uint8_t> packed(matmul.packed_bytes() + 64);
    void* aligned = packed.data() + (64 - reinterpret_cast<uintptr_t>(packed.data()) % 64);
    matmul.pack_rows(w.data(), aligned);
    std::vector<int32_t> c(expected.size());
    matmul.run(a.data(), aligned, c.data());
    EXPECT_EQ(c, expected) << matmul.implementation();
    EXPECT_EQ(matmul.implementation().find("ref"), std::string::npos) << matmul.implementation();

    std::vector<const ExactGemm*> own{&exact_gemm_generic()};
    if (&row_kernels() != &row_kernels_generic()) own.push_back(&exact_gemm_avx2());
    if (avx512_vnni_is_native()) own.push_back(&exact_gemm_vnni());
    if (avx_vnni_is_native() && exact_gemm_avx_vnni() != nullptr) own.push_back(exact_gemm_avx_vnni());
    if (amx_is_usable()) own.push_back(exact_gemm_amx());
    for (const ExactGemm* gemm : own) {
      AlignedArray<uint8_t> bytes(gemm->packed_bytes(k, n));
      gemm->pack_rows(w.data(), k, n, bytes.data());
      std::fill(c.begin(), c.end(), 0);
      gemm->run(a.data(), k, bytes.data(), c.data(), n, m, k, n);
      EXPECT_EQ(c, expected) << gemm->isa;
    }
  }
}

}  // namespace
}  // namespace amanuensis
