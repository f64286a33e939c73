// Sequences of the decoder and their self-attention caches.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "capi/amanuensis.h"

namespace amanuensis {

/// Keys and values of one sequence: [layer][head][key, value][position][kHead], f32 or f16, so that a head
/// reads them one after the other. Pages are touched, and so committed, only as positions are written.
class SelfCache {
 public:
  static constexpr int kHead = 64;
  /// element: bytes of a number, 4 or 2.
  SelfCache(int context, int layers, int state, size_t element);
  ~SelfCache();
  SelfCache(const SelfCache&) = delete;
  SelfCache& operator=(const SelfCache&) = delete;
  /// T: float or uint16_t, as the element says.
  template <class T>
  T* key(int position, int layer, int head) {
    return reinterpret_cast<T*>(data_) +
           ((static_cast<int64_t>(layer) * heads_ + head) * 2 * context_ + position) * kHead;
  }
  template <class T>
  T* value(int position, int layer, int head) {
    return key<T>(position, layer, head) + static_cast<int64_t>(context_) * kHead;
  }
  size_t bytes() const { return bytes_; }

 private:
  int context_, heads_;
  size_t bytes_;
  uint8_t* data_;
};

/// Recycles caches, so that a steady load allocates nothing.
class SelfCachePool {
 public:
  SelfCachePool(int context, int layers, int state, size_t element)
      : context_(context), layers_(layers), state_(state), element_(element) {}
  std::unique_ptr<SelfCache> take();
  void give_back(std::unique_ptr<SelfCache> cache);
  /// Of all caches made so far, lent or idle.
  size_t bytes() const { return bytes_; }

 private:
  int context_, layers_, state_;
  size_t element_;  // bytes of a number
  size_t bytes_ = 0;
  std::vector<std::unique_ptr<SelfCache>> idle_;
};

/// Sequences that were forked from one another. They read each other's caches, so all caches are kept until
/// the last of them ends; then they go back to the pool, which must still be there.
struct Family {
  explicit Family(SelfCachePool& p) : pool(p) {}
  ~Family() {
    for (auto& c : caches) pool.give_back(std::move(c));
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  SelfCachePool& pool;
  std::vector<std::unique_ptr<SelfCache>> caches;
};

/// One sequence. Its row at position p lives in *owner[p], which after forks and reorderings may be a cache
/// that another sequence of the family wrote; it writes into its own cache only.
struct Sequence {
  const void* cross_kv = nullptr;  // the caller's
  std::shared_ptr<Family> family;
  SelfCache* own = nullptr;       // one of the family's
  std::vector<SelfCache*> owner;  // by position
  std::vector<int> tokens;        // all of them
  int sample_begin = -1;          // length of the initial tokens; -1 before they were given
  // Filters.
  bool suppress_blank = false, timestamps = false;
  int max_initial_timestamp = -1;
  std::shared_ptr<const std::vector<int>> suppress;

  int length() const { return static_cast<int>(tokens.size()); }
};

}  // namespace amanuensis
