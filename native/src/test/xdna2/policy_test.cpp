#include <gtest/gtest.h>

#include "device/xdna2/diagnosis.h"
#include "device/xdna2/spill_policy.h"

namespace amanuensis {
namespace {

// Fills the device until the policy spills; returns how many it took.
int taken(SpillPolicy& policy, int offered) {
  int n = 0;
  for (int i = 0; i < offered; i++) n += policy.take() ? 1 : 0;
  return n;
}
void end(SpillPolicy& policy, int n, double wall, double busy, double waited) {
  for (int i = 0; i < n; i++) policy.device_done(wall, busy, waited);
}

TEST(SpillPolicy, measures_the_cpu_once_the_device_has_work) {
  SpillPolicy policy(8);
  EXPECT_TRUE(policy.take());
  EXPECT_TRUE(policy.take());
  EXPECT_FALSE(policy.take()) << "no measure of the CPU yet";
  policy.cpu_done(300);
  end(policy, 2, 120, 20, 20);
  EXPECT_EQ(100, policy.device_estimate() - 20) << "host part and one turn on the device";
}

TEST(SpillPolicy, measures_the_cpu_where_there_are_too_few_lanes_for_a_queue) {
  SpillPolicy policy(8);
  for (int i = 0; i < 8; i++) {
    ASSERT_TRUE(policy.take());
    policy.device_done(120, 20, 20);
  }
  EXPECT_FALSE(policy.take());
  EXPECT_TRUE(policy.take()) << "one window is enough";
  policy.device_done(120, 20, 20);
  policy.cpu_done(60);
  EXPECT_FALSE(policy.take()) << "120 a window there, 60 here";
}

TEST(SpillPolicy, spills_when_the_queue_makes_the_cpu_faster_and_not_before) {
  SpillPolicy policy(100);
  policy.take();
  policy.cpu_done(300);
  end(policy, 1, 120, 20, 20);  // 100 + 20 a window in the queue; the CPU takes 300
  EXPECT_EQ(13, taken(policy, 40)) << "100 + 14 * 20 = 380 > 1.25 * 300";
  EXPECT_EQ(13, policy.under_way());
}

TEST(SpillPolicy, returns_only_when_the_device_is_clearly_faster_again) {
  SpillPolicy policy(100);
  policy.take();
  policy.cpu_done(300);
  end(policy, 1, 120, 20, 20);
  ASSERT_EQ(14, taken(policy, 15) + 1);
  policy.device_left();
  policy.device_left();
  EXPECT_FALSE(policy.take()) << "100 + 12 * 20 = 340: not below 0.9 * 300";
  for (int i = 0; i < 4; i++) policy.device_left();
  EXPECT_TRUE(policy.take()) << "100 + 8 * 20 = 260 < 270";
}

TEST(SpillPolicy, a_slow_device_is_measured_again_now_and_then) {
  SpillPolicy policy(4);
  policy.take();
  policy.cpu_done(100);
  policy.device_done(900, 800, 800);
  EXPECT_EQ(1, taken(policy, 34)) << "the 33rd window looks whether it got better";
}

TEST(SpillPolicy, one_look_at_a_device_that_got_better_is_enough) {
  SpillPolicy policy(4);
  policy.take();
  policy.cpu_done(100);
  policy.device_done(900, 800, 800);
  ASSERT_EQ(1, taken(policy, 33));
  policy.device_done(30, 10, 10);
  EXPECT_EQ(4, taken(policy, 4)) << "30 to 60 a window; the CPU takes 100";
}

TEST(SpillPolicy, never_more_than_the_device_may_hold) {
  SpillPolicy policy(2);
  policy.cpu_done(1000);
  EXPECT_EQ(2, taken(policy, 10));
}

TEST(Diagnosis, names_every_error_of_the_facts_with_a_hint) {
  const struct {
    const char *error, *kind;
  } cases[] = {
      {"DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-22): Invalid argument", "contexts"},
      {"DRM_IOCTL_AMDXDNA_CREATE_CTX IOCTL failed (err=28)", "contexts"},
      {"DRM_IOCTL_AMDXDNA_CONFIG_HWCTX IOCTL failed (err=62): Timer expired", "driver"},
      {"DRM_IOCTL_AMDXDNA_CREATE_BO IOCTL failed (err=-11): Resource temporarily unavailable", "memlock"},
      {"mmap(...) failed (err=-11): Resource temporarily unavailable", "memlock"},
      {"DRM_IOCTL_AMDXDNA_CREATE_BO IOCTL failed (err=-28): No space left on device", "heap"},
      {"DRM_IOCTL_AMDXDNA_GET_INFO IOCTL failed (err=95)", "driver"},
      {"DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=5): Input/output error", "dispatch"},
      {"No such library libxrt_core.so.2", "no_xrt"},
      {"libxrt_coreutil.so.2: cannot open shared object file: No such file or directory", "no_xrt"},
      {"No such device with index '0'", "no_device"},
      {"2 sessions are quarantined with work that does not end", "hung"},
      {"Command failed to complete successfully (ERT_CMD_STATE_TIMEOUT)", "reset"},
      {"no answer within 6000 ms; the command is still in flight", "hung"},
      {"wrong sums in row 3 of the known answer of (1536, 512, 512)", "wrong_result"},
      {"Failed to open /dev/accel/accel0: Permission denied [errno 13]", "permission"},
      {"No such kernel 'MLIR_AIE'", "artifacts"},
      {"something new", "other"}};
  for (const auto& c : cases) {
    EXPECT_STREQ(c.kind, diagnose(c.error).name) << c.error;
    EXPECT_STRNE("", diagnose(c.error).hint) << c.error;
  }
}

TEST(Diagnosis, an_absent_device_may_be_there_without_the_rights_or_the_memory) {
  const std::string hint = diagnose("XRT finds no NPU: No such device with index '0'").hint;
  for (const char* cause : {"modprobe amdxdna", "group render", "ulimit -l", "libxrt-npu2"})
    EXPECT_NE(std::string::npos, hint.find(cause)) << cause;
  EXPECT_LT(hint.size(), 256U) << "what the C ABI has room for";
}

}  // namespace
}  // namespace amanuensis
