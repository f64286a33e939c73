// libFuzzer target: whatever the bytes are, parse_json returns a value or throws Error.
#include <cstddef>
#include <cstdint>

#include "model/errors.h"
#include "model/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    amanuensis::parse_json(reinterpret_cast<const char*>(data), size);
  } catch (const amanuensis::Error&) {
  }
  return 0;
}
