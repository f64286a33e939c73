// Cache-line aligned arrays that own their memory.
#pragma once
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace amanuensis {

/// n elements, 64-byte aligned, not initialised. Movable, not copyable.
template <class T>
class AlignedArray {
 public:
  explicit AlignedArray(size_t n = 0) : size_(n) {
    if (n == 0) return;
    data_ = static_cast<T*>(std::aligned_alloc(64, (n * sizeof(T) + 63) / 64 * 64));
    if (data_ == nullptr) throw std::bad_alloc();
  }
  explicit AlignedArray(const std::vector<T>& from) : AlignedArray(from.size()) {
    if (size_ > 0) std::memcpy(data_, from.data(), size_ * sizeof(T));
  }
  AlignedArray(AlignedArray&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  AlignedArray& operator=(AlignedArray&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~AlignedArray() { std::free(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  size_t size_;
  T* data_ = nullptr;
};

}  // namespace amanuensis
