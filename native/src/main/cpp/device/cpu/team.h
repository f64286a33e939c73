// A few threads that share the pieces of short tasks.
#pragma once
#include <omp.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace amanuensis {

/// The caller works itself; helpers take pieces as long as there are any. A helper that the system has put
/// aside holds nobody up unless it has begun a piece, which no OpenMP barrier allows. Helpers watch for work
/// for a moment after a task and sleep then. A helper's calls of oneDNN run on its own thread. One caller at
/// a time.
class Team {
 public:
  /// Starts most - 1 helpers; or none, and shares by OpenMP: beside oneDNN, whose own team would compete.
  /// give_way: asked by helpers before each piece; those that it tells so leave the rest of the task to
  /// others.
  Team(int most, bool openmp, std::function<bool()> give_way = nullptr);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int most() const { return most_; }
  /// How many threads work from now on, 1 to most(). The others sleep.
  void use(int threads) { threads_ = threads; }
  int threads() const { return threads_; }

  /// Calls work(piece, thread) for each piece in [0, pieces), thread in [0, threads()), 0 being the caller's.
  /// What the first piece to fail throws comes out when all pieces are done.
  template <class F>
  void run(int pieces, const F& work) {
    const int threads = threads_;
    if (threads == 1 || pieces == 1) {
      for (int i = 0; i < pieces; i++) work(i, 0);
      return;
    }
    if (openmp_) {
#pragma omp parallel for num_threads(threads) schedule(static)
      for (int i = 0; i < pieces; i++) work(i, omp_get_thread_num());
      return;
    }
    share(pieces, &work,
          [](const void* f, int piece, int thread) { (*static_cast<const F*>(f))(piece, thread); });
  }

 private:
  using Call = void (*)(const void*, int piece, int thread);
  struct Helper {
    std::atomic<bool> asleep{false};
    std::condition_variable wake;
    std::thread thread;
  };
  void share(int pieces, const void* work, Call call);
  void help(Helper& self, int thread);
  /// Returns when there is a task after `seen` that the helper may take part in, or at the end.
  void watch(Helper& self, int thread, uint64_t seen);
  bool may_start(int thread, uint64_t seen) const;
  /// Takes pieces of the task with this number until there are no more.
  void take(uint64_t task, int thread);
  void keep_failure() noexcept;

  const int most_;
  const bool openmp_;
  const std::function<bool()> give_way_;
  std::atomic<int> threads_;
  // The task's number (24 bits), how many pieces it has (20) and the next one (20) in one word: a helper that
  // comes late can't take a piece of a task it doesn't know.
  std::atomic<uint64_t> next_{0};
  std::atomic<const void*> work_{nullptr};
  std::atomic<Call> call_{nullptr};
  std::atomic<int> done_{0};
  std::atomic<bool> closing_{false};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;  // under mutex_
  std::vector<std::unique_ptr<Helper>> helpers_;
};

}  // namespace amanuensis
