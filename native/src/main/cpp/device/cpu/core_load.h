// Who computes now: what could use several threads leaves the others their cores.
#pragma once
#include <algorithm>
#include <atomic>
#include <thread>

namespace amanuensis {

/// Threads that compute for one model. Thread-safe; a hint, not a lock.
class CoreLoad {
 public:
  /// cores: that there are; 0: all that the system shows.
  explicit CoreLoad(int cores = 0)
      : cores_(cores > 0 ? cores : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))) {}

  /// Whether more threads compute than there are cores.
  bool crowded() const { return working_ > cores_; }

  /// Counts the calling thread until the end of the scope.
  class Share {
   public:
    explicit Share(CoreLoad& load) : load_(load) { load_.working_++; }
    ~Share() { load_.working_--; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    CoreLoad& load_;
  };

  /// Takes idle cores for helpers until the end of the scope.
  class Claim {
   public:
    Claim(CoreLoad& load, int most) : load_(load), cores_(load.take_idle(most)) {}
    ~Claim() { load_.working_ -= cores_; }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    /// How many it got: 0 to `most`.
    int cores() const { return cores_; }

   private:
    CoreLoad& load_;
    int cores_;
  };

 private:
  int take_idle(int most) {
    int working = working_;
    while (true) {
      const int taken = std::max(0, std::min(most, cores_ - working));
      if (taken == 0 || working_.compare_exchange_weak(working, working + taken)) return taken;
    }
  }

  const int cores_;
  std::atomic<int> working_{0};
};

}  // namespace amanuensis
