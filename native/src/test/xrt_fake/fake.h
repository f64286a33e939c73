// A strict stand-in for libxrt_coreutil.so.2: the real headers' classes over an imagined XDNA2 device that
// runs the int8 product and nothing else. It is stricter than the real library where the real one lets
// mistakes pass: host and device see different copies of a buffer until it is synced, new buffers hold
// poison, and a buffer that is let go while the device may use it ends the process. Test code only.
#pragma once
#include <xrt/experimental/xrt_kernel.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace xrt_fake {

/// Ends the process: the program under test broke a rule that real hardware punishes in silence.
[[noreturn]] void violation(const std::string& what);

/// What shall go wrong. Set by XRT_FAKE_FAULTS, by the file that XRT_FAKE_CONTROL names (read again whenever
/// it changes), or by xrt_fake_faults(). A list of `name[:count[:value]]` separated by spaces or commas;
/// count -1 is for ever, 1 the default. Names: absent, open, hwctx, heap, memlock, eio, error, tdr, hang,
/// block (submitting does not return until "release"), stall (creating a context does not), idle (value: ms
/// without a command, after which the next one fails), slow (value: ms), wrong (value: sums spoilt per
/// product), stale, bank (a data buffer in the wrong one).
struct Fault {
  bool hit = false;
  int64_t value = 0;
  explicit operator bool() const { return hit; }
};
/// Takes one occurrence of the fault, if it is due.
Fault fault(const char* name);
/// Whether it is due, without taking it.
Fault due(const char* name);
/// Does not return until "release".
void wait_for_release();
void set_faults(const std::string& text);
int64_t number_from(const char* variable, int64_t otherwise);

struct Counters {
  std::atomic<int64_t> runs{0}, to_device{0}, from_device{0}, contexts{0}, buffers{0}, clones{0}, deepest{0},
      lists{0}, misplaced{0};
};
Counters& counters();

/// Memory with two faces. Sub-buffers share it.
struct Memory {
  Memory(size_t bytes, uint32_t bank, uint32_t flags);
  ~Memory();
  uint8_t* host;
  std::vector<uint8_t> device;
  size_t bytes;
  uint32_t bank, flags;
  std::atomic<int> in_flight{0};  // commands that read or write some of it
  std::mutex mutex;               // of device
};

/// c[m x n] = a[m x k] * b[k x n], row-major.
void gemm(const int8_t* a, const int8_t* b, int32_t* c, int64_t m, int64_t k, int64_t n);

/// What an artifact of the fake holds. Words: kMagic, m, k, n. A program file: kProgram, then a line "k <k>":
/// the k that its core was compiled for.
constexpr uint32_t kMagic = 0x58463031;
constexpr const char* kProgram = "XRT-FAKE-PROGRAM";

}  // namespace xrt_fake

namespace xrt_core {
class device {
 public:
  int index = 0;
};
}  // namespace xrt_core

namespace xrt {

class bo_impl {
 public:
  ~bo_impl();
  std::shared_ptr<xrt_fake::Memory> memory;
  size_t offset = 0, bytes = 0;
  std::atomic<int> in_flight{0};
  std::shared_ptr<bo_impl> parent;
};

class xclbin_impl {
 public:
  std::vector<int64_t> k;
  std::vector<std::string> kernels;
  xrt::uuid id;
};
class xclbin::kernel_impl {
 public:
  std::string name;
};

class run_impl {
 public:
  struct Argument {
    std::weak_ptr<bo_impl> owner;
    std::shared_ptr<xrt_fake::Memory> memory;
    size_t offset = 0, bytes = 0;
  };
  std::shared_ptr<hw_context_impl> context;
  uint64_t opcode = 0;
  uint32_t words = 0;
  Argument instructions, a, b, c;
  std::vector<std::shared_ptr<bo_impl>> busy;
  std::mutex mutex;
  std::condition_variable done;
  ert_cmd_state state = ERT_CMD_STATE_NEW;
  bool waited = true, in_list = false;
  /// Called by the device's thread.
  void execute();
  void finish(ert_cmd_state final_state);
};

/// A context's commands and the thread that works them off. A command is a run, or a list's runs: the driver
/// gets those as one chain.
class CommandQueue {
 public:
  using Command = std::vector<std::shared_ptr<run_impl>>;
  void submit(Command command);
  void stop();
  void loop();

 private:
  bool stuck();
  bool work(const Command& command);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> waiting_;
  bool stop_ = false, running_ = false;
};

/// Lives as long as a context, kernel or run of the user's does; runs in flight keep it too.
class hw_context_impl {
 public:
  explicit hw_context_impl(std::shared_ptr<xclbin_impl> x);
  ~hw_context_impl();
  std::shared_ptr<xclbin_impl> xclbin;
  std::shared_ptr<CommandQueue> queue;

 private:
  std::thread thread_;
};

class kernel_impl {
 public:
  std::shared_ptr<hw_context_impl> context;
};

class runlist_impl {
 public:
  std::shared_ptr<hw_context_impl> context;
  std::vector<xrt::run> runs;
  bool executing = false;
};

}  // namespace xrt
