// The backend's library, opened at run time.
#pragma once
#include <string>

#include "device/xdna2/backend.h"

namespace amanuensis {

/// Stays loaded until the process ends: threads of XRT's own may be inside.
class BackendLibrary {
 public:
  /// xrt: path of libxrt_coreutil.so.2; empty: $XILINX_XRT/lib, the loader's own search, /opt/xilinx/xrt/lib.
  /// Throws what the dynamic loader said.
  BackendLibrary(const std::string& backend, const std::string& xrt);
  const x2_backend& operator*() const { return *table_; }
  const x2_backend* operator->() const { return table_; }
  /// The file that XRT was loaded from.
  const std::string& xrt_file() const { return xrt_file_; }

 private:
  const x2_backend* table_ = nullptr;
  std::string xrt_file_;
};

}  // namespace amanuensis
