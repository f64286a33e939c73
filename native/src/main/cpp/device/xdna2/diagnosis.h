// What an error of the device means, and what its operator can do.
#pragma once
#include <string>

namespace amanuensis {

struct Diagnosis {
  enum class Kind {
    kNone,
    kNoXrt,        // no XRT library, or one that is too old
    kNoDevice,     // XRT sees no NPU
    kPermission,   // the device file may not be opened
    kMemlock,      // the limit of locked memory is too low
    kContexts,     // no hardware context to be had
    kHeap,         // the device's heap is full
    kDriver,       // driver, firmware and XRT don't fit together
    kDispatch,     // a command could not be submitted
    kHung,         // no answer in time
    kReset,        // the driver reset the context
    kArtifacts,    // a program is missing or damaged
    kWrongResult,  // completed with wrong sums
    kOther
  };
  Kind kind = Kind::kNone;
  const char* name = "";  // of the kind, for metrics: "memlock"
  const char* hint = "";  // one sentence for a person
};

/// From the text of an exception of XRT, its driver or the dynamic loader.
Diagnosis diagnose(const std::string& error);

}  // namespace amanuensis
