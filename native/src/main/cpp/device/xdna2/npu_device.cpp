#include "device/xdna2/npu_device.h"

#include <algorithm>
#include <random>

#include "device/xdna2/known_answers.h"
#include "device/xdna2/npu_lane.h"
#include "model/errors.h"

namespace amanuensis {

namespace {
// One command runs, the next waits behind it in the driver's queue (which takes four): more would only make a
// fault take more with it.
constexpr size_t kDepth = 2;
// How long the owner looks at one command before it looks for new ones.
constexpr int kLookMs = 1;
// Of pauses before a probe: a fault longer ago than that is forgotten (10 minutes by default).
constexpr int kForgiveAfter = 60;
constexpr auto kLongestProbe = std::chrono::minutes(5);
constexpr int kOpenAttempts = 4;

double ms(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
}  // namespace

std::shared_ptr<NpuDevice> NpuDevice::open(NpuOptions options) {
  std::shared_ptr<NpuDevice> device(new NpuDevice(std::move(options)));
  std::unique_lock<std::mutex> lock(device->mutex_);
  device->answered_.wait(lock, [&] { return device->opened_; });
  if (device->session_ == nullptr && !device->options_.keep_trying)
    throw Error(AM_UNSUPPORTED, device->stats_.error + " (" + device->stats_.hint + ")");
  return device;
}

NpuDevice::NpuDevice(NpuOptions options)
    : options_(std::move(options)),
      library_(options_.backend, options_.xrt),
      begun_(Clock::now()),
      policy_(options_.max_windows) {
  if (options_.programs.empty())
    throw Error(AM_UNSUPPORTED, "no programs for the NPU: build them with native/npu/build-artifacts");
  owner_ = std::thread([this] { loop(); });
}

NpuDevice::~NpuDevice() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  owner_.join();
}

std::unique_ptr<GemmLane> NpuDevice::new_lane() { return std::make_unique<NpuLane>(shared_from_this()); }

// ---- the owner

std::shared_ptr<NpuSession> NpuDevice::open_session(uint64_t generation) {
  if (x2_info info{}; info_.name[0] == 0) {  // written by this thread alone
    if (library_->probe(&info) != X2_OK)
      throw NpuFailure(std::string("XRT finds no NPU: ") + library_->last_error());
    std::lock_guard<std::mutex> lock(mutex_);
    info_ = info;
  }
  for (int attempt = 1;; attempt++) {
    try {
      auto session = std::make_shared<NpuSession>(library_, options_.programs, generation);
      ask_known_answers(*session, options_.programs, options_.timeout_ms);
      return session;
    } catch (const NpuFailure& e) {
      // The pool of contexts may be exhausted for a moment, also by our own that are not gone yet.
      if (diagnose(e.what()).kind != Diagnosis::Kind::kContexts || attempt == kOpenAttempts) throw;
      library_->reap();
      std::this_thread::sleep_for(std::chrono::milliseconds(50 << attempt));
    }
  }
}

void NpuDevice::note(const std::string& what) {
  const Diagnosis d = diagnose(what);
  stats_.error = what;
  stats_.kind = d.name;
  stats_.hint = d.hint;
}

void NpuDevice::loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  recover(lock);
  opened_ = true;
  answered_.notify_all();
  while (!stop_) {
    if (session_ != nullptr) {
      serve(lock);
    } else {
      work_.wait_until(lock, probe_at_, [this] { return stop_; });
      if (!stop_ && Clock::now() >= probe_at_) recover(lock);
    }
  }
  refuse_all();
  answered_.notify_all();
  auto last = std::move(session_);
  lock.unlock();
  last.reset();
  library_->reap();
}

// Opens a session with the lock released, and says how it went.
void NpuDevice::recover(std::unique_lock<std::mutex>& lock) {
  stats_.state = NpuState::kRecovering;
  const uint64_t generation = ++stats_.generation;
  std::shared_ptr<NpuSession> session;
  std::string failure;
  lock.unlock();
  try {
    session = open_session(generation);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  lock.lock();
  if (session != nullptr) {
    session_ = std::move(session);
    stats_.state = NpuState::kReady;
    if (generation > 1) stats_.returns++;
    return;
  }
  note(failure);
  stats_.state = NpuState::kDown;
  strikes_++;
  const auto pause = std::chrono::milliseconds(options_.probe_ms) * (1 << std::min(strikes_ - 1, 10));
  probe_at_ = Clock::now() + std::min<Clock::duration>(pause, kLongestProbe);
}

void NpuDevice::serve(std::unique_lock<std::mutex>& lock) {
  if (in_flight_.empty()) work_.wait(lock, [this] { return stop_ || suspect_ || !queue_.empty(); });
  if (stop_) {
    // What runs must end before the device is closed, within the usual limit.
    if (!in_flight_.empty()) wait_for_oldest(lock);
    return;
  }
  if (suspect_) {
    suspect_ = false;
    fault(lock, suspicion_);
    return;
  }
  start_waiting(lock);
  if (session_ != nullptr && !in_flight_.empty()) wait_for_oldest(lock);
}

void NpuDevice::start_waiting(std::unique_lock<std::mutex>& lock) {
  while (session_ != nullptr && !queue_.empty() && in_flight_.size() < kDepth) {
    const RequestPtr request = queue_.front();
    Request& r = *request;
    queue_.pop_front();
    if (r.session != session_) {  // it was filled for a session that is gone
      r.outcome = Request::Outcome::kFailed;
      answered_.notify_all();
      continue;
    }
    const auto session = session_;
    calling_ = true;
    calling_since_ = Clock::now();
    lock.unlock();
    std::string failure;
    try {
      if (r.weights == nullptr)
        r.slot = session->new_slot();
      else
        session->start(r.slot, r.plan, *r.weights);
    } catch (const std::exception& e) {
      failure = e.what();
    }
    lock.lock();
    calling_ = false;
    if (session_ != session) return;  // the lanes have given it up meanwhile
    if (!failure.empty()) {
      r.outcome = Request::Outcome::kFailed;
      answered_.notify_all();
      fault(lock, failure);
    } else if (r.weights == nullptr) {
      r.outcome = Request::Outcome::kDone;
      answered_.notify_all();
    } else {
      const auto now = Clock::now();
      stats_.dispatches += r.plan.slices;
      const std::string& program = options_.programs[static_cast<size_t>(r.plan.program)].xclbin;
      if (program_ != nullptr && *program_ != program) stats_.switches++;
      program_ = &program;
      if (in_flight_.empty()) head_since_ = busy_since_ = now;
      in_flight_.push_back(request);
      stats_.deepest = std::max(stats_.deepest, static_cast<int32_t>(in_flight_.size()));
    }
  }
}

void NpuDevice::busy_until(Clock::time_point now) {
  stats_.busy_ns += std::chrono::duration_cast<std::chrono::nanoseconds>(now - busy_since_).count();
  busy_since_ = now;
}

void NpuDevice::wait_for_oldest(std::unique_lock<std::mutex>& lock) {
  const RequestPtr request = in_flight_.front();
  Request& r = *request;
  const auto session = session_;
  calling_ = true;
  calling_since_ = Clock::now();
  lock.unlock();
  std::string failure;
  bool ended = false;
  try {
    ended = session->wait(r.slot, kLookMs);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  lock.lock();
  calling_ = false;
  if (session_ != session) return;  // the lanes have given it up meanwhile
  const auto now = Clock::now();
  busy_until(now);
  if (failure.empty() && !ended && now - head_since_ > std::chrono::milliseconds(options_.timeout_ms)) {
    stats_.timeouts++;
    failure =
        "no answer within " + std::to_string(options_.timeout_ms) + " ms; the command is still in flight";
  }
  if (!failure.empty()) {
    fault(lock, failure);
  } else if (ended) {
    in_flight_.pop_front();
    r.busy_ms = ms(now - head_since_);
    r.outcome = Request::Outcome::kDone;
    stats_.products++;
    stats_.operations += 2 * r.rows * r.weights->k * r.weights->n;
    head_since_ = now;
    answered_.notify_all();
  }
}

void NpuDevice::refuse_all() {
  for (auto* list : {&queue_, &in_flight_}) {
    for (const auto& r : *list) r->outcome = Request::Outcome::kFailed;
    list->clear();
  }
}

// Lets everybody go who waits for this session, and opens another: at once after a first fault, after a pause
// when faults follow one another.
void NpuDevice::fault(std::unique_lock<std::mutex>& lock, const std::string& what) {
  const auto now = Clock::now();
  if (strikes_ > 0 && now - last_fault_ > kForgiveAfter * std::chrono::milliseconds(options_.probe_ms))
    strikes_ = 0;
  last_fault_ = now;
  stats_.faults++;
  note(what);
  auto old = std::move(session_);
  session_ = nullptr;
  stats_.state = NpuState::kRecovering;
  old->give_up();
  suspect_ = false;
  refuse_all();
  answered_.notify_all();
  // The last holder quarantines it; usually that is a lane, a moment from now.
  lock.unlock();
  old.reset();
  lock.lock();
  if (++strikes_ > 1) {
    stats_.state = NpuState::kDown;
    const auto pause = std::chrono::milliseconds(options_.probe_ms) * (1 << std::min(strikes_ - 2, 10));
    probe_at_ = Clock::now() + std::min<Clock::duration>(pause, kLongestProbe);
    return;
  }
  stats_.rebuilds++;
  recover(lock);
}

// ---- for lanes

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
  NpuStats s = stats_;
  s.wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun_).count();
  s.queued = static_cast<int32_t>(queue_.size() + in_flight_.size());
  s.quarantined = left;
  s.device_window_ms = policy_.device_estimate();
  s.cpu_window_ms = policy_.cpu_estimate();
  s.name = info_.name;
  s.xrt = library_.xrt_file() + " " + info_.xrt;
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
