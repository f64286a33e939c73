// What lanes ask of the device: slots, products, windows; and what it says of itself.
#include <algorithm>
#include <random>

#include "device/xdna2/npu_device.h"

namespace amanuensis {

NpuDevice::RequestPtr NpuDevice::acquire() {
  auto r = std::make_shared<Request>();
  std::unique_lock<std::mutex> lock(mutex_);
  if (session_ == nullptr || !session_->usable() || stop_) return r;
  r->session = session_;
  if (r->session->reuse_slot(&r->slot)) return r;
  queue_.push_back(r);
  work_.notify_all();
  await_answer(lock, r);
  return r->outcome == Request::Outcome::kFailed ? std::make_shared<Request>() : r;
}

bool NpuDevice::run(const RequestPtr& r) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (r->session != session_ || stop_) return false;
  r->outcome = Request::Outcome::kOpen;
  queue_.push_back(r);
  work_.notify_all();
  await_answer(lock, r);
  return r->outcome == Request::Outcome::kDone;
}

// The owner watches the device; who waits for the owner watches the owner: a call into the driver may never
// return.
void NpuDevice::await_answer(std::unique_lock<std::mutex>& lock, const RequestPtr& r) {
  const auto answered = [&] { return r->outcome != Request::Outcome::kOpen; };
  while (!answered_.wait_for(lock, std::chrono::milliseconds(options_.timeout_ms / 4), answered)) {
    if (owner_is_stuck()) give_up_on_owner();
    if (r->session != session_) r->outcome = Request::Outcome::kFailed;  // it may be the one in the driver
  }
}

bool NpuDevice::owner_is_stuck() const {
  return session_ != nullptr && calling_ &&
         Clock::now() - calling_since_ > std::chrono::milliseconds(options_.timeout_ms);
}

// What the owner would do for a fault, without it; it opens the next session when it comes back.
void NpuDevice::give_up_on_owner() {
  stats_.faults++;
  stats_.timeouts++;
  note("no answer within " + std::to_string(options_.timeout_ms) +
       " ms: a call of the driver does not return");
  session_->give_up();
  session_ = nullptr;  // the owner holds it too
  stats_.state = NpuState::kDown;
  suspect_ = false;
  probe_at_ = last_fault_ = Clock::now();
  strikes_++;
  refuse_all();
  answered_.notify_all();
}

void NpuDevice::report(const std::shared_ptr<NpuSession>& session, const std::string& what, bool wrong) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (wrong) stats_.wrong_products++;
  if (session != session_ || suspect_) return;  // known already
  session->give_up();
  suspect_ = true;
  suspicion_ = what;
  work_.notify_all();
}

const RowCheck& NpuDevice::check_of(const LinearWeights& w) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = checks_.find(w.id);
    if (at != checks_.end()) return *at->second;
  }
  std::random_device random;
  auto check = std::make_unique<RowCheck>(w.plain.data(), w.n, w.k, uint64_t{random()} << 32 | random());
  std::lock_guard<std::mutex> lock(mutex_);
  return *checks_.emplace(w.id, std::move(check)).first->second;
}

bool NpuDevice::take_window() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (session_ == nullptr || !session_->usable()) return false;
  const bool device = options_.spill ? policy_.take() : policy_.take_if_free();
  (device ? stats_.windows : stats_.spilled_windows)++;
  return device;
}

void NpuDevice::window_ended(bool on_device, WindowEnd how, double wall, double busy, double waited) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!on_device)
    policy_.cpu_done(wall);
  else if (how == WindowEnd::kMeasured)
    policy_.device_done(wall, busy, waited);
  else
    policy_.device_left();
}

void NpuDevice::count_cpu_product() {
  std::lock_guard<std::mutex> lock(mutex_);
  stats_.cpu_products++;
}

bool NpuDevice::due_for_cross_check() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (options_.check_every == 0 || ++product_number_ % options_.check_every != 0) return false;
  stats_.cross_checks++;
  return true;
}

NpuStats NpuDevice::stats() {
  const int32_t left = library_->reap();
  std::lock_guard<std::mutex> lock(mutex_);
  look_at_opening();
  NpuStats s = stats_;
  s.wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun_).count();
  s.queued = static_cast<int32_t>(queue_.size() + in_flight_.size());
  s.quarantined = left;
  s.device_window_ms = policy_.device_estimate();
  s.cpu_window_ms = policy_.cpu_estimate();
  s.name = info_.name;
  s.xrt = library_.xrt_file() + " (backend compiled for " + info_.xrt + ")";
  return s;
}

double NpuDevice::time_product(int64_t k, int64_t n, int64_t rows, int repeats) {
  LinearWeights w;
  w.k = k;
  w.n = n;
  w.id = uint64_t{3} << 62 | static_cast<uint64_t>(k) << 32 | static_cast<uint64_t>(n);
  w.plain = AlignedArray<int8_t>(static_cast<size_t>(k * n));
  std::fill_n(w.plain.data(), k * n, int8_t{1});
  const RequestPtr request = acquire();
  Request& r = *request;
  if (r.session == nullptr) return -1;
  r.plan = r.session->plan(k, n, rows);
  r.weights = &w;
  r.rows = rows;
  bool ok = r.plan.program >= 0;
  double total = 0;
  for (int i = -1; ok && i < repeats; i++) {  // the first loads the weights
    try {
      r.session->send(r.slot, r.plan, rows);
      ok = run(request);
      if (i >= 0) total += r.busy_ms;
    } catch (const NpuFailure& e) {
      report(r.session, e.what(), false);
      ok = false;
    }
  }
  if (ok || r.plan.program < 0) r.session->give_back(r.slot);
  return ok ? total / repeats : -1;
}

}  // namespace amanuensis
