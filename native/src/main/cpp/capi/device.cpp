// Of the C ABI: devices.
#include <sstream>

#include "capi/internal.h"

using namespace amanuensis::capi;

namespace {
std::vector<amanuensis::NpuProgram> programs_of(const std::string& lines) {
  std::vector<amanuensis::NpuProgram> programs;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    amanuensis::NpuProgram p;
    std::getline(fields, p.xclbin, '\t');
    std::getline(fields, p.kernel, '\t');
    std::getline(fields, p.instructions, '\t');
    fields >> p.m >> p.k >> p.n;
    if (!fields || p.m <= 0 || p.k <= 0 || p.n <= 0)
      throw amanuensis::InvalidArgument("programs: can't read '" + line + "'");
    programs.push_back(std::move(p));
  }
  return programs;
}
}  // namespace

am_status am_device_open(const am_device_options* options, am_device** device) {
  return guarded([&] {
    need(options, "options");
    need(device, "device");
    need_range(options->struct_size, sizeof(am_device_options), INT32_MAX, "struct_size");
    need_range(options->timeout_ms, 6000, 600'000, "timeout_ms");
    need_range(options->probe_ms, 1, 3'600'000, "probe_ms");
    need_range(options->max_windows, 1, 1024, "max_windows");
    need_range(options->check_every, 0, INT32_MAX, "check_every");
    amanuensis::NpuOptions o;
    o.backend = &need(options->backend, "backend");
    o.xrt = &need(options->xrt, "xrt");
    o.programs = programs_of(&need(options->programs, "programs"));
    o.timeout_ms = options->timeout_ms;
    o.probe_ms = options->probe_ms;
    o.max_windows = options->max_windows;
    o.check_every = options->check_every;
    o.row_checks = options->row_checks != 0;
    o.keep_trying = options->keep_trying != 0;
    o.spill = options->spill != 0;
    *device = new am_device{amanuensis::NpuDevice::open(std::move(o))};
  });
}

am_status am_device_get_stats(am_device* device, am_device_stats* stats) {
  return guarded([&] {
    const amanuensis::NpuStats s = need(device, "device").device->stats();
    am_device_stats out{};
    out.state = static_cast<int32_t>(s.state);
    out.queued = s.queued;
    out.deepest = s.deepest;
    out.quarantined = s.quarantined;
    out.generation = static_cast<int64_t>(s.generation);
    out.products = s.products;
    out.operations = s.operations;
    out.busy_ns = s.busy_ns;
    out.wall_ns = s.wall_ns;
    out.faults = s.faults;
    out.rebuilds = s.rebuilds;
    out.returns = s.returns;
    out.timeouts = s.timeouts;
    out.wrong_products = s.wrong_products;
    out.cross_checks = s.cross_checks;
    out.windows = s.windows;
    out.spilled_windows = s.spilled_windows;
    out.cpu_products = s.cpu_products;
    out.device_window_ms = s.device_window_ms;
    out.cpu_window_ms = s.cpu_window_ms;
    copy_text(out.kind, s.kind);
    copy_text(out.error, s.error);
    copy_text(out.hint, s.hint);
    copy_text(out.name, s.name);
    copy_text(out.xrt, s.xrt);
    out.dispatches = s.dispatches;
    out.switches = s.switches;
    give(need(stats, "stats"), out);
  });
}

am_status am_device_time(am_device* device, int64_t m, int64_t k, int64_t n, int32_t repeats,
                         double* milliseconds) {
  return guarded([&] {
    need_range(m, 1, 1 << 20, "m");
    need_range(k, 1, 1 << 20, "k");
    need_range(n, 1, 1 << 20, "n");
    need_range(repeats, 1, 1'000'000, "repeats");
    need(milliseconds, "milliseconds") = need(device, "device").device->time_product(k, n, m, repeats);
    if (*milliseconds < 0)
      throw amanuensis::Error(AM_UNSUPPORTED, "the NPU is down or has no program for this product");
  });
}

void am_device_close(am_device* device) { delete device; }
