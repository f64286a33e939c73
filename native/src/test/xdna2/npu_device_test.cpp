// The whole way of a product: lane, owner, backend, XRT's real headers, and the fake behind them.
#include "device/xdna2/npu_device.h"

#include "npu_fixture.h"

namespace amanuensis {
namespace {

TEST_F(NpuDeviceTest, products_are_exact_and_k_is_sliced_in_one_dispatch) {
  open();
  const int64_t lists = fake_counter("lists");
  EXPECT_TRUE(windows(1, 3));
  EXPECT_EQ(lists + 3, fake_counter("lists")) << "one runlist for the four slices of fc2";
  const NpuStats s = device_->stats();
  EXPECT_EQ(12, s.products);
  EXPECT_EQ(0, s.cpu_products);
  EXPECT_EQ(0, s.faults);
  EXPECT_EQ(3, s.windows);
  EXPECT_GE(s.cross_checks, 2);
  EXPECT_GT(s.busy_ns, 0);
  EXPECT_EQ(int64_t{3} * 2 * kRows * 64 * (192 + 64 + 256 + 256), s.operations);
}

TEST_F(NpuDeviceTest, syncs_are_made_exactly_where_due) {
  open();
  ASSERT_TRUE(windows(1, 1));  // weights are on the device now
  const int64_t to = fake_counter("to_device"), from = fake_counter("from_device");
  ASSERT_TRUE(windows(1, 1));
  EXPECT_EQ(to + 3 + 4, fake_counter("to_device")) << "the left side of each run, nothing else";
  EXPECT_EQ(from + 3 + 4, fake_counter("from_device")) << "the sums of each run";
}

TEST_F(NpuDeviceTest, a_second_command_waits_in_the_queue_while_one_runs) {
  NpuOptions o = fake_options(artifacts_);
  open(o);
  set_faults("slow:-1:3");
  EXPECT_TRUE(windows(4, 6));
  EXPECT_EQ(2, device_->stats().deepest);
}

TEST_F(NpuDeviceTest, wrong_sums_reach_the_result_when_nothing_checks) {
  NpuOptions o = fake_options(artifacts_);
  o.row_checks = false;
  o.check_every = 0;
  open(o);
  set_faults("wrong:1:1");
  EXPECT_FALSE(windows(1, 1)) << "the device's sums are what is used";
}

struct FaultCase {
  const char* faults;
  const char* kind;
};
class NpuFaultTest : public NpuDeviceTest, public ::testing::WithParamInterface<FaultCase> {};

TEST_P(NpuFaultTest, costs_no_window_and_no_wrong_sum_and_the_device_returns) {
  setenv("XRT_FAKE_TDR_MS", "100", 1);
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 400;
  open(o);
  EXPECT_TRUE(windows(2, 2));
  set_faults(GetParam().faults);
  EXPECT_TRUE(windows(3, 8));
  EXPECT_TRUE(eventually([&] { return device_->stats().kind == GetParam().kind; })) << device_->stats().error;
  const NpuStats hit = device_->stats();
  EXPECT_GE(hit.faults, 1) << "the fault was not noticed";
  EXPECT_NE("", hit.hint);
  set_faults("release:-1");
  ASSERT_TRUE(eventually([&] { return ready(); }));
  const int64_t before = device_->stats().products;
  EXPECT_TRUE(windows(1, 2));
  EXPECT_GT(device_->stats().products, before) << "the device is used again";
}

INSTANTIATE_TEST_SUITE_P(
    Each, NpuFaultTest,
    ::testing::Values(FaultCase{"eio:1", "dispatch"}, FaultCase{"error:1", "other"},
                      FaultCase{"tdr:1", "reset"}, FaultCase{"hang:1", "hung"},
                      FaultCase{"wrong:1:1", "wrong_result"}, FaultCase{"wrong:3:40", "wrong_result"},
                      FaultCase{"stale:1", "wrong_result"}, FaultCase{"eio:1 hwctx:2", "dispatch"},
                      FaultCase{"eio:1 hwctx:6", "contexts"}, FaultCase{"eio:1 heap:1", "heap"},
                      FaultCase{"eio:1 memlock:1", "memlock"}, FaultCase{"eio:1 absent:1", "no_device"},
                      FaultCase{"eio:1 open:1", "permission"}, FaultCase{"eio:1 bank:2", "wrong_result"},
                      FaultCase{"error:-1", "other"}),
    [](const auto& info) {
      std::string name = info.param.faults;
      for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      return name;
    });

TEST_F(NpuDeviceTest, what_hangs_is_quarantined_until_it_has_ended) {
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 200;
  open(o);
  set_faults("hang:1");
  EXPECT_TRUE(windows(2, 2));
  EXPECT_EQ(1, device_->stats().timeouts);
  EXPECT_TRUE(eventually([&] { return ready(); })) << "another context works meanwhile";
  EXPECT_EQ(1, device_->stats().quarantined) << "its buffers must not be freed";
  set_faults("release:-1");
  EXPECT_TRUE(eventually([&] { return device_->stats().quarantined == 0; }));
}

TEST_F(NpuDeviceTest, a_call_of_the_driver_that_does_not_return_costs_no_window) {
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 200;
  open(o);
  set_faults("block:1");
  EXPECT_TRUE(windows(3, 3)) << "lanes do not wait for an owner that is stuck";
  const NpuStats s = device_->stats();
  EXPECT_EQ(NpuState::kDown, s.state);
  EXPECT_EQ("hung", s.kind) << s.error;
  EXPECT_EQ(1, s.faults);
  set_faults("release:-1");
  ASSERT_TRUE(eventually([&] { return ready(); }));
  EXPECT_TRUE(windows(2, 2));
  EXPECT_GT(device_->stats().products, s.products) << "the device is used again";
}

TEST_F(NpuDeviceTest, a_device_that_fails_again_and_again_is_left_alone_for_a_while) {
  NpuOptions o = fake_options(artifacts_);
  o.probe_ms = 60'000;
  open(o);
  set_faults("wrong:-1");
  EXPECT_TRUE(windows(2, 6));
  EXPECT_TRUE(eventually([&] { return device_->stats().state == NpuState::kDown; }));
  const NpuStats s = device_->stats();
  EXPECT_LE(s.rebuilds, 1);
  EXPECT_TRUE(windows(2, 2)) << "windows go on, on the CPU";
}

TEST_F(NpuDeviceTest, a_slow_device_is_only_slow) {
  open();
  set_faults("slow:-1:20");
  EXPECT_TRUE(windows(2, 3));
  EXPECT_EQ(0, device_->stats().faults);
}

TEST_F(NpuDeviceTest, a_cross_check_finds_what_the_checksums_were_told_not_to_look_for) {
  NpuOptions o = fake_options(artifacts_);
  o.row_checks = false;
  o.check_every = 1;
  open(o);
  set_faults("stale:1");
  EXPECT_TRUE(windows(1, 3));
  EXPECT_EQ(1, device_->stats().wrong_products);
}

TEST_F(NpuDeviceTest, says_why_there_is_no_device) {
  const struct {
    const char *faults, *text, *hint;
  } cases[] = {
      {"absent:-1", "No such device", "modprobe"},       {"open:-1", "accel0", "group"},
      {"memlock:-1", "mmap", "locked memory"},           {"heap:-1", "CREATE_BO", "heap"},
      {"hwctx:-1", "CREATE_HWCTX", "reload the driver"}, {"wrong:-1", "wrong sums in row", "firmware"},
      {"stale:-1", "wrong sums in row", "firmware"}};
  for (const auto& c : cases) {
    set_faults(c.faults);
    try {
      open();
      ADD_FAILURE() << c.faults << ": opened";
    } catch (const Error& e) {
      EXPECT_EQ(AM_UNSUPPORTED, e.status());
      EXPECT_NE(std::string::npos, std::string(e.what()).find(c.text)) << e.what();
      EXPECT_NE(std::string::npos, std::string(e.what()).find(c.hint)) << e.what();
    }
  }
}

TEST_F(NpuDeviceTest, one_that_is_to_be_kept_trying_comes_up_later) {
  set_faults("open:-1");
  NpuOptions o = fake_options(artifacts_);
  o.keep_trying = true;
  open(o);
  EXPECT_EQ("permission", device_->stats().kind);
  set_faults("");
  EXPECT_TRUE(eventually([&] { return ready(); }));
  EXPECT_TRUE(windows(1, 1));
}

TEST_F(NpuDeviceTest, refuses_programs_that_are_not_there_or_not_what_they_say) {
  NpuOptions o = fake_options(artifacts_);
  o.programs[1].instructions += ".missing";
  EXPECT_THROW(open(o), Error);
  o = fake_options(artifacts_);
  o.programs[1].xclbin = o.programs[1].instructions;
  EXPECT_THROW(open(o), Error);
  o = fake_options(artifacts_);
  o.programs[2].instructions = o.programs[1].instructions;
  EXPECT_THROW(open(o), Error) << "the known answers tell that the shape is another";
}

TEST_F(NpuDeviceTest, a_missing_xrt_is_an_error_that_says_so) {
  NpuOptions o = fake_options(artifacts_);
  o.backend = "/nowhere/libamanuensis_xdna2.so";
  EXPECT_THROW(NpuDevice::open(o), Error);
  o.backend = "";
  EXPECT_THROW(NpuDevice::open(o), Error);
}

TEST_F(NpuDeviceTest, times_products) {
  open();
  EXPECT_GT(device_->time_product(64, 192, 128, 3), 0);
  EXPECT_LT(device_->time_product(65, 192, 128, 3), 0) << "no program";
  EXPECT_TRUE(windows(1, 1));
}

}  // namespace
}  // namespace amanuensis
