// What computes the big products of a window elsewhere than on the lane's own thread: an NPU, or a test.
//
// The contract is exact arithmetic: int8 rows x int8 rows -> int32, nothing else. Scales, biases, GELU,
// LayerNorm, softmax and attention stay on the host, so a window has the same bits wherever its products were
// computed. A product never fails: an implementation whose device does computes the product on the CPU.
#pragma once
#include <cstdint>
#include <memory>

namespace amanuensis {

struct LinearWeights;

/// One window's view of a device: its buffers and the product that is under way. Belongs to one thread (team)
/// at a time: begin() and run() are called by one thread, put() and sums() by the team, each for its own
/// rows.
class GemmLane {
 public:
  virtual ~GemmLane() = default;
  /// What of a window is about to be computed.
  enum class Part { kEncoder, kCrossKv };
  /// Whether this part shall use the device; if not, the caller computes it without this object. Either way
  /// end_window() follows: the device measures both.
  virtual bool begin_window(Part part) = 0;
  virtual void end_window() noexcept = 0;
  /// Starts a product of rows x w.k by w^T; w must hold its plain rows and outlive the lane.
  virtual void begin(const LinearWeights& w, int rows) = 0;
  /// Row `row` of the left side: w.k values in -127..127, copied.
  virtual void put(int row, const int8_t* values) = 0;
  /// Computes; returns when the sums are there.
  virtual void run() = 0;
  /// The w.n sums of a row, valid until the next begin(). scratch: w.n values, used where the sums have to be
  /// put together.
  virtual const int32_t* sums(int row, int32_t* scratch) = 0;
  /// After the last sums of a product. Throws if they can't be vouched for: the window is then worth nothing.
  virtual void finish() = 0;
};

/// A part of a window, until the end of the scope; true if it is to run on the device.
class WindowPart {
 public:
  /// lane: null is no device.
  WindowPart(GemmLane* lane, GemmLane::Part part)
      : lane_(lane), on_device_(lane != nullptr && lane->begin_window(part)) {}
  ~WindowPart() {
    if (lane_ != nullptr) lane_->end_window();
  }
  WindowPart(const WindowPart&) = delete;
  WindowPart& operator=(const WindowPart&) = delete;
  explicit operator bool() const { return on_device_; }

 private:
  GemmLane* lane_;
  bool on_device_;
};

/// Thread-safe. Lanes keep what they need of it alive.
class GemmDevice {
 public:
  virtual ~GemmDevice() = default;
  virtual std::unique_ptr<GemmLane> new_lane() = 0;
};

}  // namespace amanuensis
