#include "decoder/sequences.h"

#include <sys/mman.h>

#include <new>

namespace amanuensis {

SelfCache::SelfCache(int context, int layers, int state, size_t element)
    : context_(context),
      heads_(state / kHead),
      bytes_(element * static_cast<size_t>(context) * static_cast<size_t>(layers * 2 * state)) {
  void* p = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<uint8_t*>(p);
}
SelfCache::~SelfCache() { munmap(data_, bytes_); }

std::unique_ptr<SelfCache> SelfCachePool::take() {
  if (idle_.empty()) {
    auto made = std::make_unique<SelfCache>(context_, layers_, state_, element_);
    bytes_ += made->bytes();
    return made;
  }
  auto cache = std::move(idle_.back());
  idle_.pop_back();
  return cache;
}
void SelfCachePool::give_back(std::unique_ptr<SelfCache> cache) { idle_.push_back(std::move(cache)); }

}  // namespace amanuensis
