#include "device/xdna2/npu_device.h"

#include <algorithm>
#include <utility>

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
// An opening makes some calls of the driver, and each may take up to the limit of one; the host's own part,
// the known answers, takes a while however short that limit is.
constexpr int kOpeningTimeouts = 3, kLeastOpeningMs = 2'000;
// Sessions with work in flight that never ends hold contexts and locked memory: no third one beside them.
constexpr int32_t kMostQuarantined = 2;

double ms(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
}  // namespace

std::shared_ptr<NpuDevice> NpuDevice::open(NpuOptions options) {
  std::shared_ptr<NpuDevice> own(new NpuDevice(std::move(options)));
  own->owner_ = std::thread([own] { own->loop(); });
  // The last user's; the owner has its own, since a call into the driver may never return.
  std::shared_ptr<NpuDevice> device(own.get(), [own](NpuDevice* d) { d->close(); });
  std::unique_lock<std::mutex> lock(own->mutex_);
  while (!own->opened_ && !own->opening_given_up_) {
    own->answered_.wait_for(lock, std::chrono::milliseconds(own->options_.timeout_ms / 4));
    own->look_at_opening();
  }
  if (own->session_ == nullptr && !own->options_.keep_trying) {
    const std::string why = own->stats_.error + " (" + own->stats_.hint + ")";
    lock.unlock();
    throw Error(AM_UNSUPPORTED, why);
  }
  return device;
}

NpuDevice::NpuDevice(NpuOptions options)
    : options_(std::move(options)),
      library_(options_.backend, options_.xrt),
      begun_(Clock::now()),
      policy_(options_.max_windows) {
  if (options_.programs.empty())
    throw Error(AM_UNSUPPORTED, "no programs for the NPU: build them with native/npu/build-artifacts");
}

// What runs may take its limit to end. An owner that takes longer is inside the driver: it is left there with
// what it needs, and ends the session when it comes back.
void NpuDevice::close() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    stop_ = true;
    work_.notify_all();
    answered_.wait_for(lock, std::chrono::milliseconds(2 * options_.timeout_ms),
                       [this] { return ended_ || opening_given_up_; });
    if (!ended_) {
      left_alone_ = true;
      owner_.detach();
      return;
    }
  }
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

Diagnosis::Kind NpuDevice::note(const std::string& what) {
  const Diagnosis d = diagnose(what);
  stats_.error = what;
  stats_.kind = d.name;
  stats_.hint = d.hint;
  return d.kind;
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
  session_ = nullptr;
  lock.unlock();
  last.reset();
  // What just ended, or what a call that came back late has left in flight and nobody else will look at.
  for (int waited = 0; library_->reap() > 0 && left_alone_ && waited < options_.timeout_ms; waited += 10)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  lock.lock();
  ended_ = true;
  answered_.notify_all();
}

// Opens a session with the lock released, and says how it went.
void NpuDevice::recover(std::unique_lock<std::mutex>& lock) {
  stats_.state = NpuState::kRecovering;
  const uint64_t generation = ++stats_.generation;
  opening_ = true;
  opening_since_ = Clock::now();
  std::shared_ptr<NpuSession> session;
  std::string failure;
  lock.unlock();
  try {
    if (library_->reap() >= kMostQuarantined)
      failure = std::to_string(kMostQuarantined) + " sessions are quarantined with work that does not end";
    else
      session = open_session(generation);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  lock.lock();
  opening_ = opening_given_up_ = false;
  if (session != nullptr) {
    session_ = std::move(session);
    last_use_ = Clock::now();
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

// Nobody may wait without end for an owner that the driver does not let go. With the lock held.
void NpuDevice::look_at_opening() {
  const int limit_ms = std::max(kOpeningTimeouts * options_.timeout_ms, kLeastOpeningMs);
  if (!opening_ || opening_given_up_ || Clock::now() - opening_since_ < std::chrono::milliseconds(limit_ms))
    return;
  opening_given_up_ = true;
  stats_.faults++;
  stats_.timeouts++;
  stats_.state = NpuState::kDown;
  note("no answer within " + std::to_string(limit_ms) +
       " ms: a call of the driver that opens the device does not return");
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
    if (in_flight_.empty())
      after_idle_ = calling_since_ - last_use_ > std::chrono::milliseconds(options_.idle_ms);
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
    head_since_ = last_use_ = now;
    after_idle_ = false;
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
// when faults follow one another. The driver suspends an idle device and may fail to wake it: that is no sign
// of a bad one, unless it repeats.
void NpuDevice::fault(std::unique_lock<std::mutex>& lock, const std::string& what) {
  const auto now = Clock::now();
  if (strikes_ > 0 && now - last_fault_ > kForgiveAfter * std::chrono::milliseconds(options_.probe_ms))
    strikes_ = 0;
  last_fault_ = now;
  stats_.faults++;
  const auto kind = note(what);
  const bool excused = std::exchange(after_idle_, false) && kind != Diagnosis::Kind::kWrongResult &&
                       kind != Diagnosis::Kind::kHung;
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
  if (stop_) return;
  if (!excused && ++strikes_ > 1) {
    stats_.state = NpuState::kDown;
    const auto pause = std::chrono::milliseconds(options_.probe_ms) * (1 << std::min(strikes_ - 2, 10));
    probe_at_ = Clock::now() + std::min<Clock::duration>(pause, kLongestProbe);
    return;
  }
  stats_.rebuilds++;
  recover(lock);
}

}  // namespace amanuensis
