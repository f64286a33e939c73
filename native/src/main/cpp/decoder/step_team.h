// A few threads that share the pieces of short tasks.
#pragma once
#include <omp.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace amanuensis {

/// The caller works itself; helpers take pieces as long as there are any. A helper that the system has put
/// aside holds nobody up unless it has begun a piece, which no OpenMP barrier allows. Helpers watch for work
/// for a moment after a task and sleep then. One caller at a time.
class StepTeam {
 public:
  /// Starts most - 1 helpers; or none, and shares by OpenMP: beside oneDNN, whose own team would compete.
  StepTeam(int most, bool openmp);
  ~StepTeam();
  StepTeam(const StepTeam&) = delete;
  StepTeam& operator=(const StepTeam&) = delete;

  int most() const { return most_; }
  /// How many threads work from now on, 1 to most().
  void use(int threads) { threads_ = threads; }
  int threads() const { return threads_; }

  /// Calls work(piece, thread) for each piece in [0, pieces), thread in [0, most()).
  template <class F>
  void run(int pieces, const F& work) {
    if (threads_ == 1 || pieces == 1) {
      for (int i = 0; i < pieces; i++) work(i, 0);
      return;
    }
    if (openmp_) {
#pragma omp parallel for num_threads(threads_) schedule(static)
      for (int i = 0; i < pieces; i++) work(i, omp_get_thread_num());
      return;
    }
    share(pieces, &work,
          [](const void* f, int piece, int thread) { (*static_cast<const F*>(f))(piece, thread); });
  }

 private:
  using Call = void (*)(const void*, int piece, int thread);
  void share(int pieces, const void* work, Call call);
  void help(int thread);
  /// Takes pieces of the task with this number until there are no more.
  void take(uint64_t task, int thread);

  const int most_;
  const bool openmp_;
  int threads_;
  // The task's number (24 bits), how many pieces it has (20) and the next one (20) in one word: a helper that
  // comes late can't take a piece of a task it doesn't know.
  std::atomic<uint64_t> next_{0};
  std::atomic<const void*> work_{nullptr};
  std::atomic<Call> call_{nullptr};
  std::atomic<int> done_{0};
  std::atomic<bool> closing_{false};
  std::atomic<int> asleep_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> helpers_;
};

}  // namespace amanuensis
