// Of the C ABI: the library, the machine, and what the process has counted.
#include <fstream>
#include <oneapi/dnnl/dnnl.hpp>
#include <thread>

#include "capi/internal.h"
#include "device/cpu/copies.h"
#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "device/cpu/product_time.h"

using namespace amanuensis::capi;

namespace {
std::string cpu_brand() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}
}  // namespace

int32_t am_abi_version(void) { return AM_ABI_VERSION; }

am_status am_cpu(am_cpu_info* info) {
  return guarded([&] {
    am_cpu_info out{};
    out.logical_cpus = static_cast<int32_t>(std::thread::hardware_concurrency());
    copy_text(out.brand, cpu_brand());
    copy_text(out.isa, amanuensis::row_kernels().isa);
    copy_text(out.dnnl_isa, amanuensis::dnnl_isa_name());
    const dnnl_version_t* v = dnnl_version();
    copy_text(out.dnnl_version,
              std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch));
    give(need(info, "info"), out);
  });
}

int64_t am_copies(void) { return amanuensis::copies_of_thread().count; }

int64_t am_copied_bytes(void) { return amanuensis::copies_of_thread().bytes; }

void am_count_copy(int64_t bytes) { amanuensis::count_copy(bytes); }

int64_t am_product_nanos(int32_t decoder) {
  using amanuensis::ProductsOf;
  return amanuensis::product_time(decoder != 0 ? ProductsOf::kDecoder : ProductsOf::kEncoder);
}
