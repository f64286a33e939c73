// The C ABI over XrtDevice: no exception beyond this file, and the place where abandoned devices wait.
#include "device/xdna2/backend.h"

#include <xrt/experimental/xrt_system.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>

#include "device/xdna2/backend/xrt_device.h"

struct x2_device {
  x2_device(const x2_program* programs, int32_t n) : xrt(programs, n) {}
  amanuensis::xdna2::XrtDevice xrt;
};

namespace {

thread_local std::string error_text;

// Devices that may have work in flight. Never destroyed at exit: the driver cleans up after the process, and
// unmapping memory that the device still writes to is what must not happen.
struct Graveyard {
  std::mutex mutex;
  std::vector<std::unique_ptr<x2_device>> devices;
};
Graveyard& graveyard() {
  static auto* yard = new Graveyard;
  return *yard;
}

void remember(const std::string& text) noexcept {
  try {
    error_text = text;
  } catch (...) {
    error_text.clear();
  }
}

template <class F>
x2_status guarded(F work) noexcept {
  try {
    return work() ? X2_OK : X2_RUNNING;
  } catch (const xrt::run::command_error& e) {
    remember("command state " + std::to_string(e.get_command_state()) + ": " + e.what());
  } catch (const xrt::runlist::command_error& e) {
    remember("command state " + std::to_string(e.get_command_state()) + ": " + e.what());
  } catch (const std::system_error& e) {
    remember(std::string(e.what()) + " [errno " + std::to_string(e.code().value()) + "]");
  } catch (const std::exception& e) {
    remember(e.what());
  } catch (...) {
    remember("an unknown exception from XRT");
  }
  return X2_FAILED;
}

template <size_t N>
void copy_text(char (&to)[N], const std::string& from) {
  std::memset(to, 0, N);
  std::memcpy(to, from.data(), std::min(from.size(), N - 1));
}

const char* last_error() { return error_text.c_str(); }

x2_status probe(x2_info* info) {
  return guarded([&] {
    std::memset(info, 0, sizeof *info);
    copy_text(info->xrt, xrt_build_version);
    info->devices = static_cast<int32_t>(xrt::system::enumerate_devices());
    const xrt::device device(0U);
    copy_text(info->name, device.get_info<xrt::info::device::name>());
    copy_text(info->bdf, device.get_info<xrt::info::device::bdf>());
    return true;
  });
}

x2_status open_device(const x2_program* programs, int32_t n, x2_device** device) {
  return guarded([&] {
    *device = new x2_device(programs, n);
    return true;
  });
}

int32_t reap() {
  std::lock_guard<std::mutex> lock(graveyard().mutex);
  auto& devices = graveyard().devices;
  devices.erase(std::remove_if(devices.begin(), devices.end(), [](auto& d) { return !d->xrt.in_flight(); }),
                devices.end());
  return static_cast<int32_t>(devices.size());
}

void abandon(x2_device* device) {
  {
    std::lock_guard<std::mutex> lock(graveyard().mutex);
    graveyard().devices.emplace_back(device);
  }
  reap();
}

x2_status load(x2_device* d, const int8_t* rows, int64_t n, int64_t k, int64_t slice_k, int32_t* weights) {
  return guarded([&] {
    *weights = d->xrt.load(rows, n, k, slice_k);
    return true;
  });
}

x2_status new_slot(x2_device* d, int64_t a_bytes, int64_t c_bytes, x2_slot* slot) {
  return guarded([&] {
    *slot = d->xrt.new_slot(a_bytes, c_bytes);
    return true;
  });
}

amanuensis::xdna2::XrtDevice::Slot& at(void* slot) {
  return *static_cast<amanuensis::xdna2::XrtDevice::Slot*>(slot);
}

x2_status send(x2_device* d, void* slot, int32_t program, int32_t slices, int64_t rows) {
  return guarded([&] {
    d->xrt.send(at(slot), program, slices, rows);
    return true;
  });
}

x2_status start(x2_device* d, void* slot, int32_t program, int32_t weights) {
  return guarded([&] {
    d->xrt.start(at(slot), program, weights);
    return true;
  });
}

x2_status wait(x2_device* d, void* slot, int32_t timeout_ms) {
  return guarded([&] { return d->xrt.wait(at(slot), std::max(timeout_ms, 1)); });
}

x2_status fetch(x2_device* d, void* slot, int32_t program, int32_t slices, int64_t rows) {
  return guarded([&] {
    d->xrt.fetch(at(slot), program, slices, rows);
    return true;
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const x2_backend* amanuensis_xdna2_backend() {
  static const x2_backend backend{X2_ABI_VERSION, last_error, probe, open_device, abandon, reap,
                                  load,           new_slot,   send,  start,       wait,    fetch};
  return &backend;
}
