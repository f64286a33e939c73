#include "device/xdna2/session.h"

#include <algorithm>

namespace amanuensis {

NpuSession::NpuSession(const BackendLibrary& library, const std::vector<NpuProgram>& programs,
                       uint64_t generation)
    : library_(library), programs_(programs), generation_(generation) {
  std::vector<x2_program> list;
  for (const auto& p : programs) {
    const int64_t slices = p.n == p.k ? kMaxSlices : 1;
    a_bytes_ = std::max(a_bytes_, slices * p.m * p.k);
    c_bytes_ = std::max(c_bytes_, slices * p.m * p.n * 4);
    list.push_back({p.xclbin.c_str(), p.kernel.c_str(), p.instructions.c_str(), p.m, p.k, p.n});
  }
  check(library_->open(list.data(), static_cast<int32_t>(list.size()), &device_), "can't open the NPU");
}

NpuSession::~NpuSession() {
  if (device_ != nullptr) library_->abandon(device_);
}

void NpuSession::check(x2_status status, const char* what) {
  if (status == X2_OK) return;
  broken_ = true;
  throw NpuFailure(std::string(what) + ": " + library_->last_error());
}

NpuPlan NpuSession::plan(int64_t k, int64_t n, int64_t rows) const {
  NpuPlan best;
  double cost = 0;
  for (size_t i = 0; i < programs_.size(); i++) {
    const NpuProgram& p = programs_[i];
    if (p.n != n || p.m < rows || k % p.k != 0 || k / p.k > kMaxSlices) continue;
    const int64_t slices = k / p.k;
    if (slices * p.m * p.k > a_bytes_ || slices * p.m * p.n * 4 > c_bytes_) continue;
    // In rows of output, weighted: a slice more costs its sums, another xclbin more than any slicing.
    const double price = static_cast<double>(p.m * slices) + (p.xclbin == programs_[0].xclbin ? 0 : 1e9);
    if (best.program >= 0 && price >= cost) continue;
    best = {static_cast<int32_t>(i), static_cast<int32_t>(slices), p.m, p.k, p.n};
    cost = price;
  }
  return best;
}

bool NpuSession::reuse_slot(x2_slot* slot) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (broken_ || free_.empty()) return false;
  *slot = free_.back();
  free_.pop_back();
  return true;
}

void NpuSession::give_back(const x2_slot& slot) {
  std::lock_guard<std::mutex> lock(mutex_);
  free_.push_back(slot);
}

void NpuSession::send(const x2_slot& slot, const NpuPlan& p, int64_t rows) {
  check(library_->send(device_, slot.handle, p.program, p.slices, rows), "can't write to the device");
}

void NpuSession::fetch(const x2_slot& slot, const NpuPlan& p, int64_t rows) {
  check(library_->fetch(device_, slot.handle, p.program, p.slices, rows), "can't read from the device");
}

x2_slot NpuSession::new_slot() {
  x2_slot slot{};
  check(library_->new_slot(device_, a_bytes_, c_bytes_, &slot), "no buffers on the device");
  return slot;
}

void NpuSession::start(const x2_slot& slot, const NpuPlan& p, const LinearWeights& w) {
  auto at = weights_.find({w.id, p.k});
  if (at == weights_.end()) {
    int32_t id = 0;
    check(library_->load(device_, w.plain.data(), w.n, w.k, p.k, &id), "can't load weights");
    at = weights_.emplace(std::pair{w.id, p.k}, id).first;
  }
  check(library_->start(device_, slot.handle, p.program, at->second), "can't submit to the device");
}

bool NpuSession::wait(const x2_slot& slot, int32_t timeout_ms) {
  const x2_status status = library_->wait(device_, slot.handle, timeout_ms);
  if (status == X2_RUNNING) return false;
  check(status, "the device failed");
  return true;
}

}  // namespace amanuensis
