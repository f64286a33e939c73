// The NPU as a GemmDevice: one thread owns it; nothing it says is believed without a check; when it fails,
// lanes compute on the CPU, with the same bits, while the owner tries to bring it back.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "device/gemm_device.h"
#include "device/plain_gemm.h"
#include "device/xdna2/diagnosis.h"
#include "device/xdna2/session.h"
#include "device/xdna2/spill_policy.h"

namespace amanuensis {

struct NpuOptions {
  std::string backend;               // libamanuensis_xdna2.so
  std::string xrt;                   // see BackendLibrary
  std::vector<NpuProgram> programs;  // of one xclbin, if they can be
  int timeout_ms = 6000;             // above the driver's own limit of 2-4 s, so that it speaks first
  int probe_ms = 10'000;     // until a device that was given up is tried again; doubles up to 5 minutes
  int idle_ms = 5'000;       // after which the driver suspends the device
  int max_windows = 4;       // on the device at once
  int check_every = 64;      // one product of so many is held against the CPU's; 0: none
  bool spill = true;         // windows go to the CPU where that is faster
  bool row_checks = true;    // every row of every product is held to its checksum
  bool keep_trying = false;  // a device that doesn't open at the start is tried again later
};

enum class NpuState { kReady, kRecovering, kDown };

struct NpuStats {
  NpuState state = NpuState::kDown;
  uint64_t generation = 0;  // sessions opened
  int64_t products = 0, operations = 0, busy_ns = 0, wall_ns = 0;
  int64_t faults = 0, rebuilds = 0, returns = 0, timeouts = 0, wrong_products = 0, cross_checks = 0;
  int64_t windows = 0, spilled_windows = 0, cpu_products = 0;
  int64_t dispatches = 0, switches = 0;  // runs submitted, slices counted; changes of the program
  int32_t queued = 0, deepest = 0, quarantined = 0;
  double device_window_ms = 0, cpu_window_ms = 0;
  std::string error, kind, hint, name, xrt;
};

class NpuDevice : public GemmDevice, public std::enable_shared_from_this<NpuDevice> {
 public:
  /// Opens the device and puts known questions to it. Throws an Error with the reason and a hint if there is
  /// no device to be had, unless options.keep_trying and a backend is there.
  static std::shared_ptr<NpuDevice> open(NpuOptions options);

  std::unique_ptr<GemmLane> new_lane() override;
  NpuStats stats();
  /// Mean milliseconds of a product of this shape, submitted one after another; < 0 if the device is down or
  /// has no program for it.
  double time_product(int64_t k, int64_t n, int64_t rows, int repeats);

  // ---- for lanes
  struct Request {
    std::shared_ptr<NpuSession> session;
    x2_slot slot{};
    NpuPlan plan;
    const LinearWeights* weights = nullptr;  // null: only a slot is wanted
    int64_t rows = 0;
    enum class Outcome { kOpen, kDone, kFailed } outcome = Outcome::kOpen;
    double busy_ms = 0;  // the device's time
  };
  /// The owner may be inside the driver with a request that its lane has given up.
  using RequestPtr = std::shared_ptr<Request>;
  /// A session and a slot in it, or a request without session while the device is not ready.
  RequestPtr acquire();
  /// Runs what send() has made visible. False: the session failed.
  bool run(const RequestPtr& request);
  /// Somebody found the sums wrong, or a transfer failed.
  void report(const std::shared_ptr<NpuSession>& session, const std::string& what, bool wrong);
  const RowCheck& check_of(const LinearWeights& weights);
  bool take_window();
  enum class WindowEnd { kMeasured, kLeft };
  void window_ended(bool on_device, WindowEnd how, double wall_ms, double busy_ms, double waited_ms);
  void count_cpu_product();
  /// Whether this product's turn has come to be held against the CPU's.
  bool due_for_cross_check();
  const NpuOptions& options() const { return options_; }

 private:
  explicit NpuDevice(NpuOptions options);
  using Clock = std::chrono::steady_clock;
  void loop();
  void close();
  void look_at_opening();
  void serve(std::unique_lock<std::mutex>& lock);
  void start_waiting(std::unique_lock<std::mutex>& lock);
  void wait_for_oldest(std::unique_lock<std::mutex>& lock);
  void fault(std::unique_lock<std::mutex>& lock, const std::string& what);
  void recover(std::unique_lock<std::mutex>& lock);
  std::shared_ptr<NpuSession> open_session(uint64_t generation);
  void refuse_all();
  void await_answer(std::unique_lock<std::mutex>& lock, const RequestPtr& request);
  bool owner_is_stuck() const;
  void give_up_on_owner();
  Diagnosis::Kind note(const std::string& what);
  void busy_until(Clock::time_point now);

  const NpuOptions options_;
  BackendLibrary library_;
  x2_info info_{};
  std::mutex mutex_;  // of everything below
  std::condition_variable work_, answered_;
  std::shared_ptr<NpuSession> session_;
  std::deque<RequestPtr> queue_, in_flight_;
  Clock::time_point begun_, head_since_, busy_since_, probe_at_, last_fault_, calling_since_, opening_since_;
  Clock::time_point last_use_;  // of the device, by a product that ended
  bool after_idle_ = false;     // the first command since then is under way
  bool stop_ = false, opened_ = false, ended_ = false, suspect_ = false;
  bool opening_ = false, opening_given_up_ = false;
  std::atomic<bool> left_alone_{false};  // closed while inside the driver
  bool calling_ = false;                 // the owner is inside the driver for a session in use
  int strikes_ = 0;
  std::string suspicion_;
  const std::string* program_ = nullptr;  // the xclbin of the last run
  NpuStats stats_;
  SpillPolicy policy_;
  std::unordered_map<uint64_t, std::unique_ptr<RowCheck>> checks_;
  int64_t product_number_ = 0;
  std::thread owner_;
};

}  // namespace amanuensis
