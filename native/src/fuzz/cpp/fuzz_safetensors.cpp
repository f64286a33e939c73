// libFuzzer target: whatever a weights file holds, opening it and reading its tensors works or throws Error.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "model/errors.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("fuzz", 0);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  try {
    const amanuensis::Safetensors file("/proc/self/fd/" + std::to_string(fd));
    for (const char* name : {"a", "b", "c"})
      if (file.has(name)) file.read(name);
  } catch (const amanuensis::Error&) {
  }
  close(fd);
  return 0;
}
