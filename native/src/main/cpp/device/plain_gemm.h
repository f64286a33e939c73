// Exact int8 products over plain weights (n rows of k), and checksums of them: what a device's answers are
// held against, and what stands in for it. Independent of the kernels of device/cpu on purpose.
#pragma once
#include <cstdint>
#include <vector>

namespace amanuensis {

/// c[m x n] = a[m x k] * w[n x k]^T, exact for k < 2^16. Any k, n, m.
void plain_gemm(const int8_t* a, int64_t m, const int8_t* w, int64_t n, int64_t k, int32_t* c);

/// sum of x[i] * by[i] modulo 2^32.
uint32_t weighted_sum(const int32_t* x, const uint32_t* by, int64_t n);
uint32_t weighted_sum(const int8_t* x, const uint32_t* by, int64_t n);
/// Whether all |x[i]| <= bound.
bool within(const int32_t* x, int32_t bound, int64_t n);

/// A check of products c = a w^T, row by row, for the price of k + n multiplications (Freivalds 1977): with a
/// random vector r, sum(c[j] r[j]) must equal sum(a[i] (w^T r)[i]) modulo 2^32. The r[j] are odd, so one
/// wrong sum is always seen; several wrong sums of a row cancel with a chance of about 2^-32.
class RowCheck {
 public:
  /// w: n rows of k.
  RowCheck(const int8_t* w, int64_t n, int64_t k, uint64_t seed);
  uint32_t expected(const int8_t* a) const { return weighted_sum(a, folded_.data(), k_); }
  /// Also holds the sums to the range that int8 values allow.
  bool agrees(const int32_t* c, uint32_t expected) const;

 private:
  int64_t n_, k_;
  std::vector<uint32_t> r_;       // n
  std::vector<uint32_t> folded_;  // k: w^T r
};

}  // namespace amanuensis
