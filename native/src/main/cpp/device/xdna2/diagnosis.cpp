#include "device/xdna2/diagnosis.h"

namespace amanuensis {

namespace {
struct Rule {
  const char* all[2];  // parts that must be there
  Diagnosis diagnosis;
};
using Kind = Diagnosis::Kind;

constexpr Diagnosis kNoXrt{
    Kind::kNoXrt, "no_xrt",
    "install XRT 2.21 or newer with its NPU plugin (Debian: libxrt2 libxrt-npu2), or name "
    "its libxrt_coreutil.so.2 in npu.xrt.library"};
constexpr Diagnosis kNoDevice{
    Kind::kNoDevice, "no_device",
    "XRT says the same of four things: the driver is not loaded (modprobe amdxdna), this user may not open "
    "/dev/accel/accel0 (group render), the limit of locked memory is too low (ulimit -l), XRT's NPU plugin "
    "is "
    "missing (Debian: libxrt-npu2)"};
constexpr Diagnosis kPermission{Kind::kPermission, "permission",
                                "put the user into group render and log in again; if /dev/accel/accel0 "
                                "belongs to another group, XRT's udev "
                                "rule is missing"};
constexpr Diagnosis kMemlock{
    Kind::kMemlock, "memlock",
    "raise the limit of locked memory (ulimit -l unlimited; LimitMEMLOCK=infinity in a "
    "systemd unit; --ulimit memlock=-1 for a container)"};
constexpr Diagnosis kContexts{
    Kind::kContexts, "contexts",
    "no hardware context is free or the firmware is stuck: end other users of the NPU, "
    "else reload the driver (modprobe -r amdxdna; modprobe amdxdna)"};
constexpr Diagnosis kHeap{Kind::kHeap, "heap", "the device's heap is full: end other users of the NPU"};
constexpr Diagnosis kDriver{
    Kind::kDriver, "driver",
    "driver, firmware and XRT don't fit together: update the kernel (or the amdxdna DKMS "
    "package) and linux-firmware to the versions that this XRT wants"};
constexpr Diagnosis kDispatch{
    Kind::kDispatch, "dispatch",
    "the driver refused a command: see dmesg for amdxdna; reload the driver if it repeats"};
constexpr Diagnosis kHung{
    Kind::kHung, "hung",
    "the device did not answer in time: see dmesg for amdxdna; its work is quarantined until it "
    "has ended"};
constexpr Diagnosis kReset{
    Kind::kReset, "reset",
    "the driver reset a command that made no progress (tdr_timeout_ms): see dmesg for amdxdna"};
constexpr Diagnosis kArtifacts{Kind::kArtifacts, "artifacts",
                               "build the programs again with native/npu/build-artifacts and check them with "
                               "'amanuensis npu doctor'"};
constexpr Diagnosis kWrong{
    Kind::kWrongResult, "wrong_result",
    "the device completed with wrong sums: keep the log, compare firmware and mlir-aie "
    "versions with docs/npu.md"};

// In this order: what is more telling comes first.
const Rule kRules[] = {
    {{"can't be loaded", nullptr}, kNoXrt},
    {{"wrong sums", nullptr}, kWrong},
    {{"CREATE_HWCTX", "err=-22"}, kContexts},
    {{"CREATE_CTX", "err=-28"}, kContexts},
    {{"CREATE_CTX", "err=28"}, kContexts},
    {{"CONFIG_HWCTX", nullptr}, kDriver},
    {{"CREATE_HWCTX", nullptr}, kContexts},
    {{"CREATE_BO", "err=-28"}, kHeap},
    {{"CREATE_BO", "err=-11"}, kMemlock},
    {{"CREATE_BO", nullptr}, kMemlock},
    {{"mmap", nullptr}, kMemlock},
    {{"errno 11]", nullptr}, kMemlock},
    {{"EXEC_CMD", nullptr}, kDispatch},
    {{"GET_INFO", nullptr}, kDriver},
    {{"ERT_CMD_STATE_TIMEOUT", nullptr}, kReset},
    {{"ERT_CMD_STATE_ABORT", nullptr}, kReset},
    {{"no answer within", nullptr}, kHung},
    {{"quarantined with work", nullptr}, kHung},
    {{"errno 13]", nullptr}, kPermission},
    {{"Permission denied", nullptr}, kPermission},
    {{"No such library", nullptr}, kNoXrt},
    {{"libxrt", "cannot open shared object"}, kNoXrt},
    {{"undefined symbol", nullptr}, kNoXrt},
    {{"No such device", nullptr}, kNoDevice},
    {{"Invalid xclbin", nullptr}, kArtifacts},
    {{"Failed to open xclbin", nullptr}, kArtifacts},
    {{"can't read", nullptr}, kArtifacts},
    {{"No such kernel", nullptr}, kArtifacts},
    {{"No compute units", nullptr}, kArtifacts},
};
}  // namespace

Diagnosis diagnose(const std::string& error) {
  for (const Rule& rule : kRules)
    if (error.find(rule.all[0]) != std::string::npos &&
        (rule.all[1] == nullptr || error.find(rule.all[1]) != std::string::npos))
      return rule.diagnosis;
  return {Kind::kOther, "other", "see dmesg for amdxdna, and docs/npu.md"};
}

}  // namespace amanuensis
