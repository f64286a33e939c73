// What the tests of the NPU share: a device on the fake XRT, products through its lanes, and what must be
// left when they are over.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include "fake_npu.h"
#include "model/errors.h"

namespace amanuensis {

constexpr int kRows = 100;  // of programs for 128

class NpuDeviceTest : public ::testing::Test {
 protected:
  NpuDeviceTest() { set_faults(""); }
  ~NpuDeviceTest() override {
    set_faults("release:-1");
    if (device_ != nullptr) {
      EXPECT_TRUE(eventually([&] { return device_->stats().quarantined == 0; }));
    }
    device_ = nullptr;
    EXPECT_TRUE(eventually([] { return fake_counter("contexts") == 0; })) << "a context was left behind";
    EXPECT_TRUE(eventually([] { return fake_counter("buffers") == 0; })) << "a buffer was left behind";
    if (fake_counter("misplaced") == 0) {
      EXPECT_EQ(0, fake_counter("clones")) << "a buffer was in the wrong bank";
    }
    set_faults("");
  }
  NpuDevice& open() { return open(fake_options(artifacts_)); }
  NpuDevice& open(const NpuOptions& options) {
    device_ = NpuDevice::open(options);
    return *device_;
  }
  bool ready() { return device_->stats().state == NpuState::kReady; }

  static LinearWeights weights(int64_t k, int64_t n, int seed = 1) {
    std::vector<float> values(static_cast<size_t>(k * n));
    for (size_t i = 0; i < values.size(); i++)
      values[i] =
          static_cast<float>(static_cast<int>(i * 37 + i / 11 * static_cast<size_t>(seed)) % 255 - 127);
    return pack_linear(Arithmetic::kInt8, values, {}, k, 1, true);
  }

  // One product through a lane; true if every sum is right.
  static bool product(GemmLane& lane, const LinearWeights& w, int seed) {
    std::vector<int8_t> a(static_cast<size_t>(kRows * w.k));
    for (size_t i = 0; i < a.size(); i++)
      a[i] = static_cast<int8_t>(static_cast<int>(i * 53 + static_cast<size_t>(seed) * 7919 + i / 64) % 255 -
                                 127);
    std::vector<int32_t> exact(static_cast<size_t>(kRows * w.n)), scratch(static_cast<size_t>(w.n));
    plain_gemm(a.data(), kRows, w.plain.data(), w.n, w.k, exact.data());
    lane.begin(w, kRows);
    for (int r = 0; r < kRows; r++) lane.put(r, a.data() + r * w.k);
    lane.run();
    bool right = true;
    for (int r = 0; r < kRows; r++)
      right =
          std::memcmp(lane.sums(r, scratch.data()), exact.data() + r * w.n, scratch.size() * 4) == 0 && right;
    lane.finish();
    return right;
  }

  // Lanes side by side, windows of some products each; true if every sum of all of them is right.
  bool windows(int lanes, int windows_each) {
    std::atomic<bool> right{true};
    std::vector<std::thread> threads;
    for (int t = 0; t < lanes; t++)
      threads.emplace_back([&, t] {
        const auto lane = device_->new_lane();
        for (int i = 0; i < windows_each; i++) {
          const WindowPart part(lane.get(), GemmLane::Part::kEncoder);
          if (!part) continue;
          for (const LinearWeights* w : {&qkv_, &out_, &fc1_, &fc2_})
            if (!product(*lane, *w, t * 1000 + i)) right = false;
        }
      });
    for (auto& thread : threads) thread.join();
    return right;
  }

  const FakeArtifacts artifacts_{{{128, 64, 64}, {128, 64, 192}, {128, 64, 256}}};
  const LinearWeights qkv_ = weights(64, 192), out_ = weights(64, 64, 3), fc1_ = weights(64, 256),
                      fc2_ = weights(256, 64);
  std::shared_ptr<NpuDevice> device_;
};

}  // namespace amanuensis
