// Numbers for tests.
#pragma once
#include <cstddef>
#include <random>
#include <vector>

namespace amanuensis {

/// n normally distributed numbers, the same for the same seed.
inline std::vector<float> gaussian(size_t n, unsigned seed, float deviation = 1) {
  std::mt19937 g(seed);
  std::normal_distribution<float> d;
  std::vector<float> v(n);
  for (auto& x : v) x = deviation * d(g);
  return v;
}

}  // namespace amanuensis
