#include "device/xdna2/backend/xrt_device.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace amanuensis::xdna2 {

namespace {
// Arguments of mlir-aie's kernel (type dpu): opcode, instructions, their count in words, then the buffers.
constexpr int kOpcode = 0, kInstructions = 1, kWords = 2, kLeft = 3, kRight = 4, kSums = 5;
constexpr uint64_t kRunInstructions = 3;  // opcode of the instruction-buffer flow
constexpr size_t kPage = 4096;  // slices start on pages: sub-buffers that share a cache line are unsafe

std::vector<char> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("can't read " + path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// mlir-aie writes raw words, and wrote a hexadecimal word a line before 2025.
std::vector<uint32_t> read_words(const std::string& path) {
  const std::vector<char> bytes = read_file(path);
  const auto is_text = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) || c == '\n' || c == '\r';
  };
  std::vector<uint32_t> words;
  if (!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_text)) {
    std::istringstream in(std::string(bytes.begin(), bytes.end()));
    for (std::string line; in >> line;) words.push_back(static_cast<uint32_t>(std::stoul(line, nullptr, 16)));
  } else {
    if (bytes.size() % 4 != 0) throw std::runtime_error(path + " is not made of 32-bit words");
    words.resize(bytes.size() / 4);
    std::memcpy(words.data(), bytes.data(), bytes.size());
  }
  if (words.empty()) throw std::runtime_error(path + " is empty");
  return words;
}

size_t whole_pages(int64_t bytes) { return (static_cast<size_t>(bytes) + kPage - 1) / kPage * kPage; }
}  // namespace

XrtDevice::XrtDevice(const x2_program* programs, int32_t n) : device_(0U) {
  for (int32_t i = 0; i < n; i++) {
    const x2_program& p = programs[i];
    Program program{group_of(p), p.m, p.k, p.n, {}, 0};
    program.instructions = instructions(groups_[program.group], p.instructions, program.words);
    programs_.push_back(std::move(program));
  }
}

size_t XrtDevice::group_of(const x2_program& program) {
  const auto at = std::find(xclbins_.begin(), xclbins_.end(), program.xclbin);
  if (at != xclbins_.end()) return static_cast<size_t>(at - xclbins_.begin());
  Group group;
  group.xclbin = xrt::xclbin(std::string(program.xclbin));
  const xrt::uuid id = device_.register_xclbin(group.xclbin);
  // No qos: without wishes the driver runs the array at its highest clock.
  group.context = xrt::hw_context(device_, id);
  group.kernel = xrt::kernel(group.context, program.kernel);
  groups_.push_back(std::move(group));
  xclbins_.emplace_back(program.xclbin);
  return groups_.size() - 1;
}

xrt::bo XrtDevice::instructions(const Group& group, const std::string& path, uint32_t& words) {
  const std::vector<uint32_t> stream = read_words(path);
  words = static_cast<uint32_t>(stream.size());
  xrt::bo bo(device_, stream.size() * 4, xrt::bo::flags::cacheable,
             static_cast<xrt::memory_group>(group.kernel.group_id(kInstructions)));
  bo.write(stream.data());
  bo.sync(XCL_BO_SYNC_BO_TO_DEVICE);  // sync: instructions
  return bo;
}

xrt::bo XrtDevice::data(const Group& group, int argument, size_t bytes) {
  return {device_, bytes, xrt::bo::flags::host_only,
          static_cast<xrt::memory_group>(group.kernel.group_id(argument))};
}

int32_t XrtDevice::load(const int8_t* rows, int64_t n, int64_t k, int64_t slice_k) {
  const int64_t slices = k / slice_k;
  const size_t slice = whole_pages(slice_k * n);
  Weights w;
  w.whole = data(groups_.front(), kRight, slice * static_cast<size_t>(slices));
  auto* to = w.whole.map<int8_t*>();
  // Rows of k become rows of n, in tiles that stay in L1.
  constexpr int64_t kTile = 64;
  for (int64_t s = 0; s < slices; s++)
    for (int64_t i0 = 0; i0 < slice_k; i0 += kTile)
      for (int64_t j0 = 0; j0 < n; j0 += kTile)
        for (int64_t i = i0; i < std::min(i0 + kTile, slice_k); i++)
          for (int64_t j = j0; j < std::min(j0 + kTile, n); j++)
            to[static_cast<size_t>(s) * slice + static_cast<size_t>(i * n + j)] =
                rows[j * k + s * slice_k + i];
  w.whole.sync(XCL_BO_SYNC_BO_TO_DEVICE);  // sync: weights
  for (int64_t s = 0; s < slices; s++)
    w.slices.emplace_back(w.whole, static_cast<size_t>(slice_k * n), static_cast<size_t>(s) * slice);
  weights_.push_back(std::move(w));
  return static_cast<int32_t>(weights_.size() - 1);
}

x2_slot XrtDevice::new_slot(int64_t a_bytes, int64_t c_bytes) {
  Slot& slot = slots_.emplace_back();
  slot.a = data(groups_.front(), kLeft, static_cast<size_t>(a_bytes));
  slot.c = data(groups_.front(), kSums, static_cast<size_t>(c_bytes));
  x2_slot out{};
  out.a = slot.a.map<int8_t*>();
  out.c = slot.c.map<int32_t*>();
  out.a_bytes = a_bytes;
  out.c_bytes = c_bytes;
  // Rows beyond a window's are computed too, and nobody reads their sums: any value does, but a defined one.
  std::memset(out.a, 0, static_cast<size_t>(out.a_bytes));
  out.handle = &slot;
  return out;
}

void XrtDevice::send(Slot& slot, int32_t program, int32_t slices, int64_t rows) {
  const Program& p = programs_.at(static_cast<size_t>(program));
  xrt::bo& a = slot.a;
  for (int64_t s = 0; s < slices; s++)
    a.sync(XCL_BO_SYNC_BO_TO_DEVICE, static_cast<size_t>(rows * p.k),
           static_cast<size_t>(s * p.m * p.k));  // sync: left
}

void XrtDevice::fetch(Slot& slot, int32_t program, int32_t slices, int64_t rows) {
  const Program& p = programs_.at(static_cast<size_t>(program));
  xrt::bo& c = slot.c;
  // The host never writes to c, so no dirty line can be written back over the results.
  for (int64_t s = 0; s < slices; s++)
    c.sync(XCL_BO_SYNC_BO_FROM_DEVICE, static_cast<size_t>(rows * p.n * 4),
           static_cast<size_t>(s * p.m * p.n * 4));  // sync: sums
}

void XrtDevice::set_arguments(xrt::run& run, int32_t program, Slot& slot, const Weights& weights,
                              size_t slice) {
  const Program& p = programs_[static_cast<size_t>(program)];
  const auto a_bytes = static_cast<size_t>(p.m * p.k), c_bytes = static_cast<size_t>(p.m * p.n * 4);
  run.set_arg(kOpcode, kRunInstructions);
  run.set_arg(kInstructions, p.instructions);
  run.set_arg(kWords, p.words);
  if (weights.slices.size() == 1) {
    run.set_arg(kLeft, slot.a);
    run.set_arg(kSums, slot.c);
  } else {
    auto& [a, c] = slot.parts[{program, slice}];
    if (!a) {
      a = xrt::bo(slot.a, a_bytes, slice * a_bytes);
      c = xrt::bo(slot.c, c_bytes, slice * c_bytes);
    }
    run.set_arg(kLeft, a);
    run.set_arg(kSums, c);
  }
  run.set_arg(kRight, weights.slices[slice]);
}

void XrtDevice::start(Slot& slot, int32_t program, int32_t weights_id) {
  const Program& p = programs_.at(static_cast<size_t>(program));
  const Weights& w = weights_.at(static_cast<size_t>(weights_id));
  const Group& group = groups_[p.group];
  const auto run_of = [&](size_t slice, size_t number) -> xrt::run& {
    xrt::run& run = slot.runs[{p.group, number}];
    if (!run) run = xrt::run(group.kernel);
    set_arguments(run, program, slot, w, slice);
    return run;
  };
  if (w.slices.size() == 1) {
    xrt::run& run = run_of(0, 0);
    run.start();
    slot.run = &run;
    return;
  }
  // One dispatch for all slices. Runs that once were in a list belong to it, so they have their own numbers.
  xrt::runlist& list = slot.lists[p.group];
  if (!list)
    list = xrt::runlist(group.context);
  else
    list.reset();
  for (size_t s = 0; s < w.slices.size(); s++) list.add(run_of(s, s + 1));
  slot.list = &list;  // before execute: a list that failed to submit may be running all the same
  list.execute();
}

bool XrtDevice::finished(Slot& slot, std::chrono::milliseconds timeout) {
  if (slot.run != nullptr && slot.run->wait2(timeout) == std::cv_status::timeout) return false;
  if (slot.list != nullptr && slot.list->wait(timeout) == std::cv_status::timeout) return false;
  slot.run = nullptr;
  slot.list = nullptr;
  return true;
}

bool XrtDevice::wait(Slot& slot, int32_t timeout_ms) {
  return finished(slot, std::chrono::milliseconds(timeout_ms));
}

bool XrtDevice::in_flight() {
  bool any = false;
  for (Slot& slot : slots_) {
    try {
      if (!finished(slot, std::chrono::milliseconds(1))) any = true;
    } catch (const xrt::run::command_error&) {  // a final state: it has ended
      slot.run = nullptr;
    } catch (const xrt::runlist::command_error&) {
      slot.list = nullptr;
    } catch (const std::exception&) {  // unknown: it may still be running
      any = true;
    }
  }
  return any;
}

}  // namespace amanuensis::xdna2
