// The threads that share one window.
#pragma once
#include <omp.h>

namespace amanuensis {

class Team {
 public:
  explicit Team(int threads) : threads_(threads) {}
  int threads() const { return threads_; }
  /// work(thread, i) for i in [0, n). A team of one starts no OpenMP region: its lane may run beside others.
  template <class F>
  void each(int n, F work) const {
    if (threads_ == 1) {
      omp_set_num_threads(1);
      for (int i = 0; i < n; i++) work(0, i);
      return;
    }
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (int i = 0; i < n; i++) work(omp_get_thread_num(), i);
  }

 private:
  int threads_;
};

}  // namespace amanuensis
