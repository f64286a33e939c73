// How long matrix products took, of all threads of this process: for a worker's metrics.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace amanuensis {

enum class ProductsOf { kEncoder, kDecoder };

/// Nanoseconds so far.
inline std::atomic<int64_t>& product_time(ProductsOf part) {
  static std::atomic<int64_t> encoder{0}, decoder{0};
  return part == ProductsOf::kEncoder ? encoder : decoder;
}

/// Adds the time from its construction to its end.
class ProductTimer {
 public:
  explicit ProductTimer(ProductsOf part) : part_(part) {}
  ~ProductTimer() {
    const auto took = std::chrono::steady_clock::now() - start_;
    product_time(part_).fetch_add(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count(),
                                  std::memory_order_relaxed);
  }
  ProductTimer(const ProductTimer&) = delete;
  ProductTimer& operator=(const ProductTimer&) = delete;

 private:
  ProductsOf part_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace amanuensis
