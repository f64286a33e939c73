#include "device/xdna2/spill_policy.h"

#include <utility>

namespace amanuensis {

namespace {
constexpr double kClearlySlower = 1.25, kClearlyFaster = 0.9;
constexpr int kLookAgain = 32;         // spilled windows after which the device is measured again
constexpr int kKnownAfter = 8;         // windows on the device after which one is spilled to measure the CPU
constexpr int kFirstMeasureOfCpu = 2;  // windows on the device at which the first one is spilled, to measure
}  // namespace

double SpillPolicy::device_estimate() const { return serial_ == 0 ? 0 : host_ + (under_way_ + 1) * serial_; }

bool SpillPolicy::take() {
  bool device = under_way_ < max_windows_;
  if (device && cpu_ == 0) {
    const bool known = measured_ >= kKnownAfter && !cpu_asked_;  // with few lanes there is never a queue
    if (known) cpu_asked_ = true;
    device = under_way_ < kFirstMeasureOfCpu && !known;
  } else if (device && serial_ > 0) {
    const double there = device_estimate();
    if (there > kClearlySlower * cpu_) spilling_ = true;
    if (there < kClearlyFaster * cpu_) spilling_ = false;
    looking_ = spilling_ && under_way_ == 0 && spilled_in_a_row_ >= kLookAgain;
    device = !spilling_ || looking_;
  }
  spilled_in_a_row_ = device ? 0 : spilled_in_a_row_ + 1;
  if (device) under_way_++;
  return device;
}

void SpillPolicy::device_done(double wall, double busy, double waited) {
  under_way_--;
  measured_++;
  // What made it slow may be over: then the means of that time are worth nothing.
  if (std::exchange(looking_, false)) serial_ = host_ = 0;
  follow(serial_, busy > 0.001 ? busy : 0.001);
  follow(host_, wall > waited ? wall - waited : 0.001);
}

void SpillPolicy::cpu_done(double wall) { follow(cpu_, wall); }

}  // namespace amanuensis
