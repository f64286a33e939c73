// Who computes now: what could use several threads leaves the others their cores.
#pragma once
#include <algorithm>
#include <atomic>
#include <thread>

namespace amanuensis {

/// Threads that compute for one model. Thread-safe; a hint, not a lock.
class CoreLoad {
 public:
  /// Counts threads until the end of the scope.
  class Share {
   public:
    Share(CoreLoad& load, int threads) : load_(load), threads_(threads) { load_.working_ += threads; }
    ~Share() { load_.working_ -= threads_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    CoreLoad& load_;
    int threads_;
  };

  /// Cores that nobody counted here computes on, and one of the caller's own (which has a share): at least 1.
  int spare() const {
    static const int cores = static_cast<int>(std::thread::hardware_concurrency());
    return std::max(1, cores - working_ + 1);
  }

 private:
  std::atomic<int> working_{0};
};

}  // namespace amanuensis
