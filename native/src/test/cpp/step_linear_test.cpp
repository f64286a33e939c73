#include "decoder/step_linear.h"

#include <gtest/gtest.h>

#include <vector>

#include "device/cpu/team.h"
#include "gaussian.h"

namespace amanuensis {
namespace {

TEST(StepLinear, TeamGivesTheBitsOfOneThread) {
  constexpr int kK = 512, kN = 1000, kRows = 5;
  const auto w = StepLinear::pack(Arithmetic::kInt8, gaussian(kN * kK, 5), gaussian(kN, 6), kK);
  const auto x = gaussian(kRows * kK, 7);
  Team team(3, !StepLinear::own_kernels(Arithmetic::kInt8));
  StepLinear linear(Arithmetic::kInt8, kK, kN, 4, team);  // two calls of the kernels
  std::vector<float> one(kRows * kN), many(one.size());
  team.use(1);
  linear.run_gelu(w, x.data(), kRows, one.data());
  team.use(3);
  for (int i = 0; i < 50; i++) {
    linear.run_gelu(w, x.data(), kRows, many.data());
    ASSERT_EQ(one, many);
  }
}

TEST(StepLinear, RowHasTheBitsOfOneAlone) {
  constexpr int kK = 512, kN = 200, kRows = 11;
  const auto w = StepLinear::pack(Arithmetic::kInt8, gaussian(kN * kK, 9), gaussian(kN, 10), kK);
  const auto x = gaussian(kRows * kK, 11), residual = gaussian(kRows * kN, 12);
  Team team(1, false);
  StepLinear linear(Arithmetic::kInt8, kK, kN, 16, team);
  const auto run = [&](int way, const float* from, int rows, float* y) {
    way == 0   ? linear.run(w, from, rows, y)
    : way == 1 ? linear.run_add(w, from, rows, y)
               : linear.run_gelu(w, from, rows, y);
  };
  for (int way = 0; way < 3; way++)
    for (int rows = 1; rows <= kRows; rows++) {
      auto together = residual;
      run(way, x.data(), rows, together.data());
      for (int r = 0; r < rows; r++) {
        std::vector<float> alone(residual.begin() + r * kN, residual.begin() + (r + 1) * kN);
        run(way, x.data() + r * kK, 1, alone.data());
        ASSERT_EQ(alone, std::vector<float>(together.begin() + r * kN, together.begin() + (r + 1) * kN));
      }
    }
}

}  // namespace
}  // namespace amanuensis
