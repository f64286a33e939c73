// Help from cores on which nobody computes for the model.
#pragma once
#include <algorithm>
#include <mutex>

#include "device/cpu/core_load.h"
#include "device/cpu/team.h"

namespace amanuensis {

/// Helpers that all lanes of a model share: a window that is alone has them, as far as cores are idle, piece
/// by piece; one beside others computes on its own thread. Helpers give way to whoever begins to compute. One
/// caller at a time has helpers, so scratch of theirs that is kept by thread number belongs to nobody else
/// meanwhile. Thread-safe.
class IdleCores {
 public:
  /// threads: a caller's and its helpers, at least 1. load: must outlive this.
  IdleCores(CoreLoad& load, int threads)
      : load_(load), team_(threads, false, [&load] { return load.crowded(); }) {}
  int threads() const { return team_.most(); }

  /// Calls work(i, thread) for i in [0, n); thread 0 is the caller, which counts in the load already.
  template <class F>
  void each(int n, const F& work) {
    const std::unique_lock<std::mutex> turn(mutex_, std::try_to_lock);
    const CoreLoad::Claim claim(load_, turn ? std::min(n, threads()) - 1 : 0);
    if (claim.cores() > 0) {
      team_.use(1 + claim.cores());
      return team_.run(n, work);
    }
    for (int i = 0; i < n; i++) work(i, 0);
  }

 private:
  CoreLoad& load_;
  std::mutex mutex_;
  Team team_;
};

}  // namespace amanuensis
