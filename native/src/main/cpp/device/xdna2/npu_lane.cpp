#include "device/xdna2/npu_lane.h"

#include <cstring>

#include "model/errors.h"

namespace amanuensis {

namespace {
using Clock = std::chrono::steady_clock;
double ms_since(Clock::time_point then) {
  return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}
constexpr int kCrossCheckedRows = 16;
}  // namespace

bool NpuLane::begin_window(Part part) {
  // Cross-attention follows its window's encoder.
  if (part == Part::kEncoder) on_device_ = device_->take_window();
  part_ = part;
  disturbed_ = false;
  busy_ms_ = waited_ms_ = 0;
  begun_ = Clock::now();
  return on_device_;
}

void NpuLane::end_window() noexcept {
  let_go();  // an idle lane must not keep a session alive
  if (part_ != Part::kEncoder) return;
  device_->window_ended(on_device_,
                        disturbed_ ? NpuDevice::WindowEnd::kLeft : NpuDevice::WindowEnd::kMeasured,
                        ms_since(begun_), busy_ms_, waited_ms_);
}

void NpuLane::let_go() {
  if (request_->session != nullptr && request_->session->usable())
    request_->session->give_back(request_->slot);
  request_ = std::make_shared<NpuDevice::Request>();
}

void NpuLane::begin(const LinearWeights& w, int rows) {
  weights_ = &w;
  rows_ = rows;
  wrong_rows_ = 0;
  if (request_->session != nullptr && !request_->session->usable())
    request_ = std::make_shared<NpuDevice::Request>();
  if (request_->session == nullptr) request_ = device_->acquire();
  here_ = request_->session == nullptr;
  if (!here_) {
    request_->plan = request_->session->plan(w.k, w.n, rows);
    request_->weights = &w;
    request_->rows = rows;
    here_ = request_->plan.program < 0;
  }
  if (here_) {
    own_a_.resize(static_cast<size_t>(rows * w.k));
    return;
  }
  check_ = device_->options().row_checks ? &device_->check_of(w) : nullptr;
  expected_.resize(static_cast<size_t>(rows));
}

void NpuLane::put(int row, const int8_t* values) {
  if (here_) {
    std::memcpy(own_a_.data() + row * weights_->k, values, static_cast<size_t>(weights_->k));
    return;
  }
  const NpuPlan& p = request_->plan;
  for (int64_t s = 0; s < p.slices; s++)
    std::memcpy(request_->slot.a + (s * p.m + row) * p.k, values + s * p.k, static_cast<size_t>(p.k));
  if (check_ != nullptr) expected_[static_cast<size_t>(row)] = check_->expected(values);
}

void NpuLane::gather(int row, int8_t* to) const {
  const NpuPlan& p = request_->plan;
  for (int64_t s = 0; s < p.slices; s++)
    std::memcpy(to + s * p.k, request_->slot.a + (s * p.m + row) * p.k, static_cast<size_t>(p.k));
}

void NpuLane::run_here() {
  own_c_.resize(static_cast<size_t>(rows_ * weights_->n));
  plain_gemm(own_a_.data(), rows_, weights_->plain.data(), weights_->n, weights_->k, own_c_.data());
  device_->count_cpu_product();
  disturbed_ = true;
}

void NpuLane::run() {
  if (here_) return run_here();
  const auto begun = Clock::now();
  bool done = false;
  try {
    request_->session->send(request_->slot, request_->plan, rows_);
    done = device_->run(request_);
    if (done) request_->session->fetch(request_->slot, request_->plan, rows_);
  } catch (const NpuFailure& e) {
    device_->report(request_->session, e.what(), false);
    done = false;
  }
  waited_ms_ += ms_since(begun);
  if (done) {
    busy_ms_ += request_->busy_ms;
    if (device_->due_for_cross_check()) cross_check();
    return;
  }
  // The slot may be in flight for long: its inputs are still ours to read, its outputs are not.
  own_a_.resize(static_cast<size_t>(rows_ * weights_->k));
  for (int r = 0; r < rows_; r++) gather(r, own_a_.data() + r * weights_->k);
  request_ = std::make_shared<NpuDevice::Request>();
  here_ = true;
  run_here();
}

void NpuLane::add_slices(int row, int32_t* to) const {
  const NpuPlan& p = request_->plan;
  std::memcpy(to, request_->slot.c + row * p.n, static_cast<size_t>(p.n) * 4);
  for (int64_t s = 1; s < p.slices; s++) {
    const int32_t* more = request_->slot.c + (s * p.m + row) * p.n;
    for (int64_t j = 0; j < p.n; j++)
      to[j] = static_cast<int32_t>(static_cast<uint32_t>(to[j]) + static_cast<uint32_t>(more[j]));
  }
}

const int32_t* NpuLane::sums(int row, int32_t* scratch) {
  if (here_) return own_c_.data() + row * weights_->n;
  const int32_t* c = request_->slot.c + row * request_->plan.n;
  if (request_->plan.slices > 1) {
    add_slices(row, scratch);
    c = scratch;
  }
  if (check_ == nullptr || check_->agrees(c, expected_[static_cast<size_t>(row)])) return c;
  if (!repair(row, scratch)) beyond_repair_ = true;
  return scratch;
}

bool NpuLane::repair(int row, int32_t* to) {
  wrong_rows_++;
  std::vector<int8_t> a(static_cast<size_t>(weights_->k));
  gather(row, a.data());
  plain_gemm(a.data(), 1, weights_->plain.data(), weights_->n, weights_->k, to);
  return check_->agrees(to, expected_[static_cast<size_t>(row)]);
}

// A second opinion that shares nothing with the checksums: some rows, sum by sum.
void NpuLane::cross_check() {
  std::vector<int8_t> a(static_cast<size_t>(weights_->k));
  std::vector<int32_t> exact(static_cast<size_t>(weights_->n)), got(exact.size());
  for (int i = 0; i < kCrossCheckedRows; i++) {
    const int row = static_cast<int>(int64_t{i} * (rows_ - 1) / (kCrossCheckedRows - 1));
    gather(row, a.data());
    plain_gemm(a.data(), 1, weights_->plain.data(), weights_->n, weights_->k, exact.data());
    add_slices(row, got.data());
    if (exact == got) continue;
    device_->report(request_->session,
                    "wrong sums in row " + std::to_string(row) + ", found by a cross-check", true);
    own_a_.resize(static_cast<size_t>(rows_ * weights_->k));
    for (int r = 0; r < rows_; r++) gather(r, own_a_.data() + r * weights_->k);
    request_ = std::make_shared<NpuDevice::Request>();
    here_ = true;
    run_here();
    return;
  }
}

void NpuLane::finish() {
  if (wrong_rows_ > 0) {
    device_->report(request_->session,
                    "wrong sums in " + std::to_string(wrong_rows_) + " of " + std::to_string(rows_) +
                        " rows of a product of " + std::to_string(weights_->k) + " by " +
                        std::to_string(weights_->n),
                    true);
    disturbed_ = true;
  }
  if (beyond_repair_.exchange(false))
    throw Error(AM_INTERNAL,
                "the NPU's memory changed under a product: its inputs no longer fit their checksum");
}

}  // namespace amanuensis
