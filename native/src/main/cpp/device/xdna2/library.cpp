#include "device/xdna2/library.h"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <vector>

#include "device/xdna2/diagnosis.h"
#include "model/errors.h"

namespace amanuensis {

namespace {
constexpr const char* kXrt = "libxrt_coreutil.so.2";

std::string loader_error() {
  const char* text = dlerror();
  return text == nullptr ? "the dynamic loader gave no reason" : text;
}

[[noreturn]] void not_loaded(const char* what, const std::string& why) {
  const std::string text = std::string(what) + " can't be loaded: " + why;
  throw Error(AM_UNSUPPORTED, text + " (" + diagnose(text).hint + ")");
}

// XRT first, so that the backend finds it by its soname wherever it lies.
void load_xrt(const std::string& given) {
  std::vector<std::string> places;
  if (!given.empty()) {
    places.push_back(given);
  } else {
    if (const char* home = std::getenv("XILINX_XRT")) places.push_back(std::string(home) + "/lib/" + kXrt);
    places.emplace_back(kXrt);
    places.push_back(std::string("/opt/xilinx/xrt/lib/") + kXrt);
  }
  std::string reasons;
  for (const auto& place : places) {
    if (dlopen(place.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
    reasons += (reasons.empty() ? "" : "; ") + loader_error();
  }
  not_loaded("XRT", reasons);
}
// The name behind the soname has XRT's version in it.
std::string real_name(const char* file) {
  char name[PATH_MAX];
  return realpath(file, name) == nullptr ? file : name;
}
}  // namespace

BackendLibrary::BackendLibrary(const std::string& backend, const std::string& xrt) {
  if (backend.empty())
    throw Error(AM_UNSUPPORTED,
                "this build has no XDNA2 backend: XRT's headers were not found when it was made");
  load_xrt(xrt);
  void* library = dlopen(backend.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) not_loaded("the NPU's backend", loader_error());
  const auto entry = reinterpret_cast<x2_entry>(dlsym(library, X2_ENTRY));
  if (entry == nullptr) throw Error(AM_UNSUPPORTED, backend + " is not an XDNA2 backend");
  table_ = entry();
  if (table_->abi != X2_ABI_VERSION)
    throw Error(AM_UNSUPPORTED, backend + " has ABI " + std::to_string(table_->abi) + ", " +
                                    std::to_string(X2_ABI_VERSION) + " is needed");
  Dl_info info{};
  if (void* symbol = dlsym(RTLD_DEFAULT, "_ZN3xrt6system17enumerate_devicesEv"); dladdr(symbol, &info) != 0)
    xrt_file_ = real_name(info.dli_fname);
}

}  // namespace amanuensis
