// A device that never answers, sleeps badly or is slow: nobody waits without end, and nothing piles up.
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>

#include "npu_fixture.h"

extern char** environ;

namespace amanuensis {
namespace {

using Clock = std::chrono::steady_clock;

class NpuStuckTest : public NpuDeviceTest {};

TEST_F(NpuStuckTest, opening_a_device_that_does_not_answer_ends_with_the_reason) {
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 300;
  set_faults("stall:1");
  const auto begun = Clock::now();
  try {
    open(o);
    ADD_FAILURE() << "opened";
  } catch (const Error& e) {
    EXPECT_NE(std::string::npos, std::string(e.what()).find("no answer within")) << e.what();
    EXPECT_NE(std::string::npos, std::string(e.what()).find("dmesg")) << e.what();
  }
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(10));
  set_faults("release:-1");  // its owner comes back and leaves nothing: the fixture looks
}

TEST_F(NpuStuckTest, an_opening_that_ends_after_all_is_used) {
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 300;
  o.keep_trying = true;
  set_faults("stall:1");
  open(o);
  EXPECT_EQ(NpuState::kDown, device_->stats().state);
  EXPECT_EQ("hung", device_->stats().kind);
  EXPECT_TRUE(windows(2, 2)) << "lanes work alone";
  set_faults("release:-1");
  ASSERT_TRUE(eventually([&] { return ready(); }));
  EXPECT_TRUE(windows(1, 1));
  EXPECT_EQ(4, device_->stats().products);
}

TEST_F(NpuStuckTest, closing_does_not_wait_for_a_call_that_does_not_return) {
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 300;
  for (const char* fault : {"eio:1 stall:1", "block:1"}) {
    open(o);
    set_faults(fault);
    EXPECT_TRUE(windows(2, 2)) << fault;
    const auto begun = Clock::now();
    device_ = nullptr;
    EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5)) << fault;
    set_faults("release:-1");
    EXPECT_TRUE(eventually([] { return fake_counter("contexts") == 0; })) << fault;
    set_faults("");
  }
}

TEST_F(NpuStuckTest, a_device_that_never_ends_anything_does_not_pile_up_contexts) {
  NpuOptions o = fake_options(artifacts_);
  o.timeout_ms = 200;
  open(o);
  set_faults("hang:-1");
  EXPECT_TRUE(windows(2, 2));
  ASSERT_TRUE(eventually([&] { return device_->stats().quarantined == 2; }));
  const uint64_t tried = device_->stats().generation;
  ASSERT_TRUE(eventually([&] { return device_->stats().generation > tried + 2; })) << "it probes on";
  EXPECT_EQ(2, device_->stats().quarantined);
  EXPECT_EQ(2, fake_counter("contexts"));
  EXPECT_EQ("hung", device_->stats().kind) << device_->stats().error;
  set_faults("release:-1");
  ASSERT_TRUE(eventually([&] { return ready(); }, 30'000));
  EXPECT_TRUE(windows(1, 2));
}

TEST_F(NpuStuckTest, a_device_that_wakes_badly_is_tried_again_at_once) {
  NpuOptions o = fake_options(artifacts_);
  o.idle_ms = 200;
  o.probe_ms = 60'000;
  open(o);
  set_faults("idle:-1:200");
  for (int i = 1; i <= 3; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_TRUE(windows(1, 1));
    EXPECT_TRUE(eventually([&] { return ready(); })) << "no minute's pause after fault " << i;
    EXPECT_EQ(i, device_->stats().faults);
    EXPECT_EQ("dispatch", device_->stats().kind);
  }
}

TEST_F(NpuStuckTest, wrong_sums_after_a_rest_are_not_excused) {
  NpuOptions o = fake_options(artifacts_);
  o.idle_ms = 1;
  o.probe_ms = 60'000;
  open(o);
  for (int i = 1; i <= 2; i++) {
    ASSERT_TRUE(ready());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    set_faults("wrong:1:1");
    EXPECT_TRUE(windows(1, 1));
    EXPECT_TRUE(eventually([&] { return ready() == (i == 1); }));
  }
}

// Windows of one lane each, as a worker's lanes run them: on the CPU where the device is not taken. What ran
// where is the result, in order; empty if a sum was wrong.
class Workers {
 public:
  Workers(NpuDevice& device, std::vector<const LinearWeights*> products, int cpu_ms)
      : device_(device), products_(std::move(products)), cpu_ms_(cpu_ms) {}
  template <class F>
  std::vector<bool> run(int lanes, int windows_each, F product) {
    std::vector<bool> there;
    std::atomic<bool> right{true};
    std::vector<std::thread> threads;
    for (int t = 0; t < lanes; t++)
      threads.emplace_back([&] {
        const auto lane = device_.new_lane();
        for (int i = 0; i < windows_each; i++) {
          const WindowPart part(lane.get(), GemmLane::Part::kEncoder);
          {
            std::lock_guard<std::mutex> lock(mutex_);
            there.push_back(static_cast<bool>(part));
          }
          if (!part) std::this_thread::sleep_for(std::chrono::milliseconds(cpu_ms_));
          for (const LinearWeights* w : products_)
            if (part && !product(*lane, *w, i)) right = false;
        }
      });
    for (auto& thread : threads) thread.join();
    return right ? there : std::vector<bool>{};
  }

 private:
  NpuDevice& device_;
  const std::vector<const LinearWeights*> products_;
  const int cpu_ms_;
  std::mutex mutex_;
};

TEST_F(NpuStuckTest, windows_go_to_the_cpu_while_the_device_is_slow_and_return) {
  NpuOptions o = fake_options(artifacts_);
  o.spill = true;  // as everywhere but in tests
  o.max_windows = 4;
  open(o);
  Workers workers(*device_, {&out_}, 120);
  const auto count = [](const std::vector<bool>& w) { return std::count(w.begin(), w.end(), true); };
  const auto changes = [](const std::vector<bool>& w) {
    int n = 0;
    for (size_t i = 1; i < w.size(); i++) n += w[i] != w[i - 1];
    return n;
  };

  const auto healthy = workers.run(2, 20, product);
  ASSERT_EQ(40U, healthy.size());
  EXPECT_GE(count(healthy), 36) << "but for the window that measures the CPU";

  set_faults("slow:-1:400");
  const auto slow = workers.run(2, 30, product);
  ASSERT_EQ(60U, slow.size());
  EXPECT_LE(count(slow), 12) << "400 ms a window there, 120 here";
  EXPECT_GE(count(slow), 1);
  EXPECT_LE(changes(slow), 8) << "it keeps to a decision";

  set_faults("");
  const auto mended = workers.run(2, 40, product);
  ASSERT_EQ(80U, mended.size());
  EXPECT_GE(count(mended), 40) << "one look in 32 windows finds it mended";
  EXPECT_LE(changes(mended), 8);
  const NpuStats s = device_->stats();
  EXPECT_EQ(count(healthy) + count(slow) + count(mended), s.windows);
  EXPECT_EQ(180 - s.windows, s.spilled_windows);
  EXPECT_EQ(0, s.faults);
}

// Run by the test below, in a process whose environment names the fault.
TEST(FaultsByEnvironment, DISABLED_are_there_from_the_start) {
  const FakeArtifacts artifacts{{{128, 64, 64}}};
  try {
    NpuDevice::open(fake_options(artifacts));
    ADD_FAILURE() << "opened";
  } catch (const Error& e) {
    EXPECT_NE(std::string::npos, std::string(e.what()).find("No such device")) << e.what();
  }
}

// Whether a test of this program passes in a process of its own, which has loaded nothing yet.
bool passes_alone(const std::string& test, std::string variable) {
  const std::string filter = "--gtest_filter=" + test;
  const char* arguments[] = {"npu_test", "--gtest_also_run_disabled_tests", filter.c_str(), nullptr};
  std::vector<char*> environment;
  for (char** e = environ; *e != nullptr; e++) environment.push_back(*e);
  environment.push_back(variable.data());
  environment.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, const_cast<char**>(arguments),
                  environment.data()) != 0)
    return false;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(FaultsByEnvironment, reach_a_process_that_no_test_can_reach) {
  const std::string test = "FaultsByEnvironment.DISABLED_are_there_from_the_start";
  EXPECT_TRUE(passes_alone(test, "XRT_FAKE_FAULTS=absent:-1"));
  EXPECT_FALSE(passes_alone(test, "XRT_FAKE_FAULTS="));
}

// Run by the test below: XRT_OLD is a library with XRT's soname and nothing in it.
TEST(OldXrt, DISABLED_alone) {
  NpuOptions o;
  o.backend = XDNA2_BACKEND;
  o.xrt = std::getenv("XRT_OLD");
  try {
    NpuDevice::open(o);
    ADD_FAILURE() << "opened";
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_NE(std::string::npos, what.find("the NPU's backend can't be loaded")) << what;
    EXPECT_NE(std::string::npos, what.find("undefined symbol")) << what;
    EXPECT_NE(std::string::npos, what.find("install XRT 2.21 or newer")) << what;
  }
}

TEST(OldXrt, is_named_as_what_is_wrong) {
  char folder[] = "/tmp/amanuensis-old-xrt-XXXXXX";
  ASSERT_NE(nullptr, mkdtemp(folder));
  const std::string library = std::string(folder) + "/libxrt_coreutil.so.2";
  ASSERT_EQ(0, std::system(
                   ("c++ -shared -x c++ /dev/null -Wl,-soname,libxrt_coreutil.so.2 -o " + library).c_str()));
  EXPECT_TRUE(passes_alone("OldXrt.DISABLED_alone", "XRT_OLD=" + library));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace amanuensis
