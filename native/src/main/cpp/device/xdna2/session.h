// One opening of the device: from a context's creation until it is closed or given up.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "device/cpu/linear.h"
#include "device/xdna2/library.h"

namespace amanuensis {

/// c[m x n] int32 = a[m x k] int8 * b[k x n] int8, compiled for the array.
struct NpuProgram {
  std::string xclbin, kernel, instructions;
  int64_t m = 0, k = 0, n = 0;
};

/// A product as the device runs it: a program, once or for each slice of k.
struct NpuPlan {
  int32_t program = -1;  // -1: no program takes this product
  int32_t slices = 0;
  int64_t m = 0, k = 0, n = 0;  // the program's
};

/// A call to the device failed; the session is worth nothing any more.
struct NpuFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The device's owner opens it, loads weights and runs; lanes hold it while they use a slot's memory, so the
/// last of them gives it up. What is still in flight then stays allocated until it has ended.
class NpuSession {
 public:
  /// Most slices of one product: fc2 of Whisper base on a program for k = 512.
  static constexpr int32_t kMaxSlices = 4;

  /// Throws NpuFailure.
  NpuSession(const BackendLibrary& library, const std::vector<NpuProgram>& programs, uint64_t generation);
  ~NpuSession();

  uint64_t generation() const { return generation_; }
  /// Whether it may still be used. Once broken, it stays so.
  bool usable() const { return !broken_; }
  void give_up() { broken_ = true; }

  /// The cheapest way to run a product; prefers programs of the first xclbin, since changing it costs 2.7 ms.
  NpuPlan plan(int64_t k, int64_t n, int64_t rows) const;

  /// Of a lane: a slot that was given back, if there is one.
  bool reuse_slot(x2_slot* slot);
  void give_back(const x2_slot& slot);
  /// Of a lane, for its slot: before the owner runs it, and after.
  void send(const x2_slot& slot, const NpuPlan& plan, int64_t rows);
  void fetch(const x2_slot& slot, const NpuPlan& plan, int64_t rows);

  // ---- of the owner's thread alone
  x2_slot new_slot();
  void start(const x2_slot& slot, const NpuPlan& plan, const LinearWeights& weights);
  /// Whether the slot's product has ended; waits that long at most.
  bool wait(const x2_slot& slot, int32_t timeout_ms);

 private:
  void check(x2_status status, const char* what);
  const BackendLibrary& library_;
  const std::vector<NpuProgram>& programs_;
  const uint64_t generation_;
  int64_t a_bytes_ = 0, c_bytes_ = 0;  // of a slot: the largest program's, and square programs sliced
  x2_device* device_ = nullptr;
  std::atomic<bool> broken_{false};
  std::mutex mutex_;
  std::vector<x2_slot> free_;                                // with mutex_
  std::map<std::pair<uint64_t, int64_t>, int32_t> weights_;  // by LinearWeights::id and k of the slices
};

}  // namespace amanuensis
