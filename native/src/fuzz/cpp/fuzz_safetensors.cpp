// libFuzzer target: whatever a weights file holds, opening it and reading its tensors works or throws Error.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/errors.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("fuzz", 0);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  try {
    const amanuensis::Safetensors file("/proc/self/fd/" + std::to_string(fd));
    for (const char* name : {"a", "b", "c"})
      if (file.has(name)) {
        const auto whole = file.read(name);
        if (file.shape(name).size() != 2) continue;
        const auto rows = file.rows(name);
        std::vector<float> row(rows.columns());
        for (int64_t i = 0; i < file.shape(name)[0] && !row.empty(); i++)
          rows.read(static_cast<size_t>(i), row.data());
      }
  } catch (const amanuensis::Error&) {
  }
  close(fd);
  return 0;
}
