#include "device/cpu/team.h"

#include <chrono>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace amanuensis {

namespace {
constexpr auto kWatch = std::chrono::microseconds(200);
void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}
constexpr int kBits = 20;
constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;
uint64_t task_of(uint64_t word) { return word >> (2 * kBits); }
uint64_t pieces_of(uint64_t word) { return word >> kBits & kMask; }
uint64_t next_of(uint64_t word) { return word & kMask; }
}  // namespace

Team::Team(int most, bool openmp, std::function<bool()> give_way)
    : most_(most), openmp_(openmp), give_way_(std::move(give_way)), threads_(most) {
  if (openmp) return;
  for (int i = 1; i < most; i++) {
    helpers_.push_back(std::make_unique<Helper>());
    Helper& helper = *helpers_.back();
    helper.thread = std::thread([this, &helper, i] { help(helper, i); });
  }
}

Team::~Team() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  for (auto& h : helpers_) h->wake.notify_all();
  for (auto& h : helpers_) h->thread.join();
}

void Team::share(int pieces, const void* work, Call call) {
  // A helper uses these only if it then gets a piece, and no piece is left when the next task changes them.
  work_.store(work, std::memory_order_relaxed);
  call_.store(call, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t task = (task_of(next_.load(std::memory_order_relaxed)) + 1) & 0xffffff;
  next_.store(task << (2 * kBits) | static_cast<uint64_t>(pieces) << kBits);
  for (int i = 1; i < threads_; i++) {
    Helper& helper = *helpers_[static_cast<size_t>(i) - 1];
    if (!helper.asleep) continue;
    std::lock_guard<std::mutex> lock(mutex_);
    helper.wake.notify_one();
  }
  take(task, 0);
  while (done_.load(std::memory_order_acquire) < pieces) pause();
  if (!failed_.exchange(false)) return;
  std::exception_ptr failure;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    failure = std::exchange(failure_, nullptr);
  }
  std::rethrow_exception(failure);
}

void Team::keep_failure() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_ == nullptr) failure_ = std::current_exception();
  failed_ = true;
}

void Team::take(uint64_t task, int thread) {
  const void* work = work_.load(std::memory_order_relaxed);
  const Call call = call_.load(std::memory_order_relaxed);
  uint64_t word = next_.load(std::memory_order_acquire);
  while (task_of(word) == task && next_of(word) < pieces_of(word)) {
    if (thread > 0 && give_way_ && give_way_()) return;
    if (!next_.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) continue;
    try {
      call(work, static_cast<int>(next_of(word)), thread);
    } catch (...) {
      keep_failure();
    }
    done_.fetch_add(1, std::memory_order_acq_rel);
    word = next_.load(std::memory_order_acquire);
  }
}

bool Team::may_start(int thread, uint64_t seen) const {
  return thread < threads_ && task_of(next_.load()) != seen;
}

void Team::watch(Helper& self, int thread, uint64_t seen) {
  const auto until = std::chrono::steady_clock::now() + kWatch;
  for (int i = 1; thread < threads_; i++) {
    if (may_start(thread, seen)) return;
    pause();
    if (i % 64 == 0 && std::chrono::steady_clock::now() >= until) break;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  self.asleep = true;
  self.wake.wait(lock, [&] { return closing_ || may_start(thread, seen); });
  self.asleep = false;
}

void Team::help(Helper& self, int thread) {
  omp_set_num_threads(1);
  uint64_t seen = 0;
  while (true) {
    watch(self, thread, seen);
    if (closing_) return;
    seen = task_of(next_.load(std::memory_order_acquire));
    take(seen, thread);
  }
}

}  // namespace amanuensis
