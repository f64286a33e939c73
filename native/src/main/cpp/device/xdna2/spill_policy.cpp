#include "device/xdna2/spill_policy.h"

namespace amanuensis {

namespace {
constexpr double kClearlySlower = 1.25, kClearlyFaster = 0.9;
constexpr int kLookAgain = 32;         // spilled windows after which the device is measured again
constexpr int kFirstMeasureOfCpu = 2;  // windows on the device at which the first one is spilled, to measure
}  // namespace

double SpillPolicy::device_estimate() const { return serial_ == 0 ? 0 : host_ + (under_way_ + 1) * serial_; }

bool SpillPolicy::take() {
  bool device = under_way_ < max_windows_;
  if (device && cpu_ == 0) {
    device = under_way_ < kFirstMeasureOfCpu;
  } else if (device && serial_ > 0) {
    const double there = device_estimate();
    if (there > kClearlySlower * cpu_) spilling_ = true;
    if (there < kClearlyFaster * cpu_) spilling_ = false;
    device = !spilling_ || (under_way_ == 0 && spilled_in_a_row_ >= kLookAgain);
  }
  spilled_in_a_row_ = device ? 0 : spilled_in_a_row_ + 1;
  if (device) under_way_++;
  return device;
}

void SpillPolicy::device_done(double wall, double busy, double waited) {
  under_way_--;
  follow(serial_, busy > 0.001 ? busy : 0.001);
  follow(host_, wall > waited ? wall - waited : 0.001);
}

void SpillPolicy::cpu_done(double wall) { follow(cpu_, wall); }

}  // namespace amanuensis
