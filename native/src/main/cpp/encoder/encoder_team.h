// The threads of an encoder lane; internal to encoder/.
#pragma once
#include <memory>
#include <vector>

#include "device/cpu/idle_cores.h"
#include "encoder/workspace.h"

namespace amanuensis {

/// Scratch of the threads that help whichever lane is alone.
struct EncoderHelpers {
  EncoderHelpers(const EncoderWeights& w, int block, IdleCores& idle) : cores(idle) {
    for (int i = 1; i < idle.threads(); i++) workspaces.push_back(std::make_unique<Workspace>(w, block));
  }
  IdleCores& cores;
  std::vector<std::unique_ptr<Workspace>> workspaces;  // of threads 1, 2, ...
};

/// One lane's thread with its own scratch, and the helpers while there are any.
class EncoderTeam {
 public:
  /// helpers: null for none.
  EncoderTeam(const EncoderWeights& w, int block, std::shared_ptr<EncoderHelpers> helpers)
      : own_(w, block), helpers_(std::move(helpers)) {}

  /// work(workspace, i) for i in [0, n), each workspace in one call at a time.
  template <class F>
  void each(int n, const F& work) {
    if (helpers_ == nullptr) {
      for (int i = 0; i < n; i++) work(own_, i);
      return;
    }
    helpers_->cores.each(n, [&](int i, int thread) {
      work(thread == 0 ? own_ : *helpers_->workspaces[static_cast<size_t>(thread) - 1], i);
    });
  }

 private:
  Workspace own_;
  std::shared_ptr<EncoderHelpers> helpers_;
};

}  // namespace amanuensis
