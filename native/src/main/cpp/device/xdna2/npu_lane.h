// A lane's products on the NPU, each checked, and computed here where the NPU can't.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "device/xdna2/npu_device.h"

namespace amanuensis {

class NpuLane : public GemmLane {
 public:
  explicit NpuLane(std::shared_ptr<NpuDevice> device) : device_(std::move(device)) {}
  ~NpuLane() override { let_go(); }
  bool begin_window(Part part) override;
  void end_window() noexcept override;
  void begin(const LinearWeights& weights, int rows) override;
  void put(int row, const int8_t* values) override;
  void run() override;
  const int32_t* sums(int row, int32_t* scratch) override;
  void finish() override;

 private:
  void let_go();
  void run_here();
  void gather(int row, int8_t* to) const;
  void add_slices(int row, int32_t* to) const;
  bool repair(int row, int32_t* to);
  void cross_check();

  std::shared_ptr<NpuDevice> device_;
  NpuDevice::RequestPtr request_ =
      std::make_shared<NpuDevice::Request>();  // its session is null while the lane has no slot
  const LinearWeights* weights_ = nullptr;
  const RowCheck* check_ = nullptr;
  int rows_ = 0;
  bool here_ = true;                // this product is computed by the lane
  std::vector<int8_t> own_a_;       // rows x k, where it is
  std::vector<int32_t> own_c_;      // rows x n
  std::vector<uint32_t> expected_;  // rows
  std::atomic<int> wrong_rows_{0};
  std::atomic<bool> beyond_repair_{false};
  // Of the window.
  bool on_device_ = false, disturbed_ = false;
  Part part_ = Part::kEncoder;
  std::chrono::steady_clock::time_point begun_;
  double busy_ms_ = 0, waited_ms_ = 0;
};

}  // namespace amanuensis
