// Where the next window goes: to the device while its queue is short, to the CPU when that is faster.
#pragma once

namespace amanuensis {

/// Measures both ways and keeps to a decision until the other way is clearly better. Not thread-safe.
class SpillPolicy {
 public:
  /// max_windows: on the device at once, at most.
  explicit SpillPolicy(int max_windows) : max_windows_(max_windows) {}
  /// Whether the next window shall go to the device; yes counts it as being there.
  bool take();
  /// The same without looking at the CPU.
  bool take_if_free() { return under_way_ < max_windows_ && ++under_way_ > 0; }
  /// A window on the device has ended. wall: its whole time; busy: the device's part; waited: for the device,
  /// with the queue before it. Milliseconds.
  void device_done(double wall, double busy, double waited);
  /// It ended on the device, but not as measured: a fault came between.
  void device_left() { under_way_--; }
  void cpu_done(double wall);

  int under_way() const { return under_way_; }
  /// What a window would take on the device now; 0 if not known.
  double device_estimate() const;
  double cpu_estimate() const { return cpu_; }

 private:
  static void follow(double& mean, double value) { mean = mean == 0 ? value : mean + 0.2 * (value - mean); }
  const int max_windows_;
  int under_way_ = 0, spilled_in_a_row_ = 0, measured_ = 0;
  bool spilling_ = false, looking_ = false, cpu_asked_ = false;
  double host_ = 0, serial_ = 0, cpu_ = 0;  // moving means: a window's time off and on the device, on the CPU
};

}  // namespace amanuensis
