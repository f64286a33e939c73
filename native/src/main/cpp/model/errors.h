// Errors that carry the status of the C ABI.
#pragma once
#include <stdexcept>
#include <string>

#include "capi/amanuensis.h"

namespace amanuensis {

class Error : public std::runtime_error {
 public:
  Error(am_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  am_status status() const { return status_; }

 private:
  am_status status_;
};

struct InvalidArgument : Error {
  explicit InvalidArgument(const std::string& m) : Error(AM_INVALID_ARGUMENT, m) {}
};
struct BadState : Error {
  explicit BadState(const std::string& m) : Error(AM_BAD_STATE, m) {}
};
struct BadModel : Error {
  explicit BadModel(const std::string& m) : Error(AM_BAD_MODEL, m) {}
};

}  // namespace amanuensis
