#include "decoder/step_team.h"

#include <chrono>

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

StepTeam::StepTeam(int most, bool openmp) : most_(most), openmp_(openmp), threads_(most) {
  if (openmp) return;
  for (int i = 1; i < most; i++) helpers_.emplace_back([this, i] { help(i); });
}

StepTeam::~StepTeam() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& h : helpers_) h.join();
}

void StepTeam::share(int pieces, const void* work, Call call) {
  // A helper uses these only if it then gets a piece, and no piece is left when the next task changes them.
  work_.store(work, std::memory_order_relaxed);
  call_.store(call, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t task = (task_of(next_.load(std::memory_order_relaxed)) + 1) & 0xffffff;
  next_.store(task << (2 * kBits) | static_cast<uint64_t>(pieces) << kBits);
  if (asleep_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  take(task, 0);
  while (done_.load(std::memory_order_acquire) < pieces) pause();
}

void StepTeam::take(uint64_t task, int thread) {
  const void* work = work_.load(std::memory_order_relaxed);
  const Call call = call_.load(std::memory_order_relaxed);
  uint64_t word = next_.load(std::memory_order_acquire);
  while (task_of(word) == task && next_of(word) < pieces_of(word)) {
    if (!next_.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) continue;
    call(work, static_cast<int>(next_of(word)), thread);
    done_.fetch_add(1, std::memory_order_acq_rel);
    word = next_.load(std::memory_order_acquire);
  }
}

void StepTeam::help(int thread) {
  uint64_t seen = 0;
  while (true) {
    const auto until = std::chrono::steady_clock::now() + kWatch;
    for (int i = 1; task_of(next_.load(std::memory_order_acquire)) == seen; i++) {
      pause();
      if (i % 64 != 0 || std::chrono::steady_clock::now() < until) continue;
      std::unique_lock<std::mutex> lock(mutex_);
      asleep_++;
      wake_.wait(lock, [&] { return closing_ || task_of(next_.load()) != seen; });
      asleep_--;
      break;
    }
    if (closing_) return;
    seen = task_of(next_.load(std::memory_order_acquire));
    take(seen, thread);
  }
}

}  // namespace amanuensis
