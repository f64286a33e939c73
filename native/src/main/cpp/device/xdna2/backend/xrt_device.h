// One opened NPU: contexts, programs, weights and slots, in XRT's terms. Errors are exceptions here; the C
// ABI (backend.cpp) catches them.
#pragma once
#include <xrt/experimental/xrt_kernel.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "device/xdna2/backend.h"

namespace amanuensis::xdna2 {

class XrtDevice {
 public:
  /// Belongs to its device. Lanes fill and read it, the owner runs it.
  struct Slot {
    xrt::bo a, c;
    std::map<std::pair<int32_t, size_t>, std::pair<xrt::bo, xrt::bo>>
        parts;                                           // of a and c, by program and slice
    std::map<std::pair<size_t, size_t>, xrt::run> runs;  // by group and number: 0 alone, 1.. in a list
    std::map<size_t, xrt::runlist> lists;                // by group
    xrt::run* run = nullptr;                             // what is in flight: a run or a list
    xrt::runlist* list = nullptr;
  };

  XrtDevice(const x2_program* programs, int32_t n);

  int32_t load(const int8_t* rows, int64_t n, int64_t k, int64_t slice_k);
  x2_slot new_slot(int64_t a_bytes, int64_t c_bytes);
  void send(Slot& slot, int32_t program, int32_t slices, int64_t rows);
  void start(Slot& slot, int32_t program, int32_t weights);
  bool wait(Slot& slot, int32_t timeout_ms);
  void fetch(Slot& slot, int32_t program, int32_t slices, int64_t rows);
  /// Whether anything may still be read or written by the device. Asks each run again; never blocks long.
  bool in_flight();

 private:
  // Programs of one xclbin share its context; a change of xclbin costs about 2.7 ms, so there should be one.
  struct Group {
    xrt::xclbin xclbin;
    xrt::hw_context context;
    xrt::kernel kernel;
  };
  struct Program {
    size_t group;
    int64_t m, k, n;
    xrt::bo instructions;
    uint32_t words;
  };
  struct Weights {
    std::vector<xrt::bo> slices;  // each slice_k x n
    xrt::bo whole;
  };
  size_t group_of(const x2_program& program);
  xrt::bo instructions(const Group& group, const std::string& path, uint32_t& words);
  xrt::bo data(const Group& group, int argument, size_t bytes);
  void set_arguments(xrt::run& run, int32_t program, Slot& slot, const Weights& weights, size_t slice);
  bool finished(Slot& slot, std::chrono::milliseconds timeout);

  xrt::device device_;
  std::vector<std::string> xclbins_;
  std::vector<Group> groups_;
  std::vector<Program> programs_;
  std::vector<Weights> weights_;
  std::deque<Slot> slots_;  // they stay where they are: lanes use theirs while the owner makes another
};

}  // namespace amanuensis::xdna2
