#include "capi/internal.h"

#include <new>
#include <oneapi/dnnl/dnnl.hpp>

namespace amanuensis::capi {

namespace {
thread_local std::string last_error;

am_status fail(am_status status, const std::string& message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return status;
}
}  // namespace

void clear_error() noexcept { last_error.clear(); }

am_status caught() noexcept {
  try {
    throw;
  } catch (const Error& e) {
    return fail(e.status(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(AM_OUT_OF_MEMORY, "out of memory");
  } catch (const dnnl::error& e) {
    return fail(e.status == dnnl_unimplemented ? AM_UNSUPPORTED : AM_INTERNAL,
                std::string("oneDNN: ") + e.what());
  } catch (const std::exception& e) {
    return fail(AM_INTERNAL, e.what());
  } catch (...) {
    return fail(AM_INTERNAL, "unknown error");
  }
}

void need_aligned(const void* pointer, const char* name) {
  need(static_cast<const char*>(pointer), name);
  if (reinterpret_cast<uintptr_t>(pointer) % 64 != 0)
    throw InvalidArgument(std::string(name) + " is not 64-byte aligned");
}

void need_range(int64_t value, int64_t from, int64_t to, const char* name) {
  if (value < from || value > to)
    throw InvalidArgument(std::string(name) + " is " + std::to_string(value) + ", must be " +
                          std::to_string(from) + " to " + std::to_string(to));
}

}  // namespace amanuensis::capi

const char* am_last_error(void) { return amanuensis::capi::last_error.c_str(); }
