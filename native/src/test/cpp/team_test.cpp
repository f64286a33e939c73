#include "device/cpu/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "device/cpu/idle_cores.h"

namespace amanuensis {
namespace {

TEST(Team, RunsEachPieceOnceWhateverTheHelpersDo) {
  Team team(4, false);
  for (int threads : {1, 2, 4, 3}) {
    team.use(threads);
    for (int task = 0; task < 2000; task++) {
      const int pieces = 1 + task % 37;
      std::vector<std::atomic<int>> done(static_cast<size_t>(pieces));
      std::atomic<int> highest{0};
      team.run(pieces, [&](int piece, int thread) {
        for (int seen = highest; thread > seen && !highest.compare_exchange_weak(seen, thread);) {
        }
        done[static_cast<size_t>(piece)]++;
      });
      for (auto& d : done) ASSERT_EQ(d, 1);
      ASSERT_LT(highest, 4);
    }
  }
}

TEST(Team, PieceThatFailsFailsTheTaskAndNotTheNextOne) {
  Team team(3, false);
  for (int task = 0; task < 500; task++) {
    std::atomic<int> done{0};
    EXPECT_THROW(team.run(20,
                          [&](int piece, int) {
                            done++;
                            if (piece % 7 == 3) throw std::runtime_error("piece");
                          }),
                 std::runtime_error);
    EXPECT_EQ(done, 20);
    done = 0;
    team.run(20, [&](int, int) { done++; });
    EXPECT_EQ(done, 20);
  }
}

TEST(Team, HelpersThatHaveToGiveWayLeaveThePiecesToTheCaller) {
  std::atomic<bool> crowded{true};
  Team team(3, false, [&] { return crowded.load(); });
  for (int task = 0; task < 500; task++) {
    crowded = task % 2 == 0;
    std::atomic<int> done{0}, helped{0};
    team.run(20, [&](int, int thread) {
      done++;
      if (thread > 0) helped++;
    });
    EXPECT_EQ(done, 20);
    if (task % 2 == 0) {
      EXPECT_EQ(helped, 0);
    }
  }
}

TEST(CoreLoad, ClaimsNoCoreOnWhichSomebodyComputes) {
  CoreLoad load(4);
  const CoreLoad::Share one(load);
  {
    const CoreLoad::Share two(load);
    const CoreLoad::Claim helpers(load, 8);
    EXPECT_EQ(helpers.cores(), 2);
    EXPECT_EQ(CoreLoad::Claim(load, 8).cores(), 0);
  }
  EXPECT_EQ(CoreLoad::Claim(load, 8).cores(), 3);
  EXPECT_EQ(CoreLoad::Claim(load, 2).cores(), 2);
}

// Whether a helper took part in any of many pieces: it wakes when the system lets it.
bool helped_within(std::chrono::milliseconds most, IdleCores& cores) {
  const auto end = std::chrono::steady_clock::now() + most;
  std::atomic<bool> helped{false};
  while (!helped && std::chrono::steady_clock::now() < end)
    cores.each(64, [&](int, int thread) {
      if (thread > 0) helped = true;
      if (thread == 0) std::this_thread::yield();
    });
  return helped;
}

TEST(IdleCores, HelpOneCallerAndOnlyWhileCoresAreIdle) {
  CoreLoad load(2);
  IdleCores cores(load, 2);
  const CoreLoad::Share caller(load);
  EXPECT_TRUE(helped_within(std::chrono::seconds(30), cores));
  const CoreLoad::Share other(load);
  EXPECT_FALSE(helped_within(std::chrono::milliseconds(50), cores));
}

TEST(IdleCores, CallersAtTheSameTimeEachHaveTheirPiecesDone) {
  CoreLoad load(8);
  IdleCores cores(load, 3);
  std::vector<std::thread> callers;
  std::atomic<int> done{0};
  std::atomic<int> in_scratch[3] = {};
  for (int i = 0; i < 4; i++)
    callers.emplace_back([&] {
      const CoreLoad::Share share(load);
      for (int task = 0; task < 300; task++)
        cores.each(10, [&](int, int thread) {
          done++;
          if (thread == 0) return;
          EXPECT_EQ(in_scratch[thread].fetch_add(1), 0) << "a helper's scratch is used by one caller";
          in_scratch[thread]--;
        });
    });
  for (auto& c : callers) c.join();
  EXPECT_EQ(done, 4 * 300 * 10);
}

}  // namespace
}  // namespace amanuensis
