// Questions with known answers, put to a device before it is believed: signed, asymmetric, with the extremes.
#pragma once
#include "device/xdna2/session.h"

namespace amanuensis {

/// Runs every program once, and the sliced product where no program takes k = 2048 whole. Throws NpuFailure
/// at the first wrong sum, saying which. Of the owner's thread.
void ask_known_answers(NpuSession& session, const std::vector<NpuProgram>& programs, int timeout_ms);

}  // namespace amanuensis
