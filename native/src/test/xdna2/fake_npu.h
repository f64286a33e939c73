// A device on the fake XRT, with small programs, for tests in this process.
#pragma once
#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "device/xdna2/npu_device.h"

namespace amanuensis {

/// Writes the fake's artifacts of these products (m, k, n) into a fresh folder, one xclbin for each k.
class FakeArtifacts {
 public:
  explicit FakeArtifacts(const std::vector<std::array<int64_t, 3>>& shapes) {
    char name[] = "/tmp/amanuensis-fake-XXXXXX";
    folder_ = mkdtemp(name);
    for (const auto& [m, k, n] : shapes) {
      const std::string xclbin = folder_ + "/k" + std::to_string(k) + ".xclbin";
      std::ofstream(xclbin) << "XRT-FAKE-PROGRAM\nkernel MLIR_AIE\nk " << k << "\n";
      const std::string words =
          folder_ + "/" + std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n);
      const uint32_t stream[] = {
          0x58463031u, static_cast<uint32_t>(m), static_cast<uint32_t>(k), static_cast<uint32_t>(n), 0, 0};
      std::ofstream(words, std::ios::binary).write(reinterpret_cast<const char*>(stream), sizeof stream);
      programs.push_back({xclbin, "MLIR_AIE", words, m, k, n});
    }
  }
  ~FakeArtifacts() { [[maybe_unused]] const int status = std::system(("rm -rf '" + folder_ + "'").c_str()); }
  std::vector<NpuProgram> programs;

 private:
  std::string folder_;
};

inline void* fake_symbol(const char* name) {
  static void* library = dlopen(XRT_FAKE, RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  return dlsym(library, name);
}
inline void set_faults(const std::string& faults) {
  reinterpret_cast<void (*)(const char*)>(fake_symbol("xrt_fake_faults"))(faults.c_str());
}
inline int64_t fake_counter(const char* name) {
  return reinterpret_cast<int64_t (*)(const char*)>(fake_symbol("xrt_fake_counter"))(name);
}

inline NpuOptions fake_options(const FakeArtifacts& artifacts) {
  NpuOptions o;
  const char* other = std::getenv("AMANUENSIS_TEST_BACKEND");  // npu/mutation-check
  o.backend = other != nullptr ? other : XDNA2_BACKEND;
  o.xrt = XRT_FAKE;
  o.programs = artifacts.programs;
  o.probe_ms = 20;
  o.check_every = 5;
  o.spill = false;
  o.max_windows = 64;
  return o;
}

/// Waits for what comes by itself.
template <class F>
bool eventually(F condition, int limit_ms = 10'000) {
  for (int i = 0; i < limit_ms / 5; i++) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace amanuensis
