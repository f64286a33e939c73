package dev.amanuensis.worker.buffers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.buffers.BufferStatistics.PoolStatistics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BufferManagerTest {
  private static final int PAGE = 4096;

  private static BufferConfig config(long cap, Map<Pool, PoolConfig> changed) {
    Map<Pool, PoolConfig> pools = new EnumMap<>(Pool.class);
    for (Pool pool : Pool.values()) {
      pools.put(pool, PoolConfig.of(PAGE, 1, 3));
    }
    pools.putAll(changed);
    return new BufferConfig(
        cap, pools, Duration.ofMillis(100), Duration.ofMillis(50), Duration.ZERO, true);
  }

  private static BufferManager manager() {
    return new BufferManager(config(100 * PAGE, Map.of()));
  }

  private static PoolStatistics mel(BufferManager manager) {
    return manager.statistics().of(Pool.MEL);
  }

  private static List<Lease> take(BufferManager manager, Pool pool, int n) throws Exception {
    List<Lease> leases = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      leases.add(manager.acquire(pool, "taker"));
    }
    return leases;
  }

  @Test
  void defaultPoolsFitTheCapWithTheirInitialSlotsAndGrowOnlyToIt() throws Exception {
    BufferConfig defaults =
        BufferConfig.defaults(80 * 3000 * 4, 30 * 32_000, 1500 * 512 * 4, 1 << 20, 2, 4);
    try (BufferManager manager = new BufferManager(defaults)) {
      assertThat(manager.statistics().usedBytes()).isBetween(29_000_000L, 30_000_000L);
      List<Lease> leases = take(manager, Pool.MEL, 20);
      leases.addAll(take(manager, Pool.AUDIO, 15));
      leases.addAll(take(manager, Pool.ENCODER, 5));
      assertThat(manager.statistics().usedBytes()).isBetween(49_000_000L, 50_000_000L);
      leases.forEach(Lease::close);
      assertThat(manager.statistics().inUse()).isZero();
      List<Lease> encoder = take(manager, Pool.ENCODER, 11);
      assertThat(manager.statistics().usedBytes()).isLessThanOrEqualTo(50_000_000L);
      encoder.forEach(Lease::close);
    }
  }

  @Test
  void capSmallerThanTheInitialSlotsIsRefused() {
    assertThatThrownBy(() -> config(2 * PAGE, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("initial slots");
  }

  @Test
  void growthOfOnePoolLeavesTheInitialSlotsOfTheOthers() throws Exception {
    Map<Pool, PoolConfig> greedy =
        Map.of(Pool.MEL, new PoolConfig(PAGE, 1, 50, Exhaustion.FAIL, true));
    try (BufferManager manager = new BufferManager(config(10 * PAGE, greedy))) {
      List<Lease> leases = take(manager, Pool.MEL, 8); // 10 less one each of audio and encoder
      assertThatThrownBy(() -> manager.acquire(Pool.MEL, "one more"))
          .isInstanceOf(PoolExhaustedException.class)
          .hasMessageContaining("mel")
          .hasMessageContaining("one more");
      leases.addAll(take(manager, Pool.AUDIO, 1));
      leases.addAll(take(manager, Pool.ENCODER, 1));
      assertThat(manager.statistics().usedBytes()).isEqualTo(10 * PAGE);
      leases.forEach(Lease::close);
    }
  }

  @Test
  void idleSlotsAboveTheInitialNumberAreGivenBack() throws Exception {
    try (BufferManager manager = manager()) {
      take(manager, Pool.MEL, 3).forEach(Lease::close);
      assertThat(mel(manager).slots()).isEqualTo(3);
      manager.tend(); // they were needed in the time before it
      manager.tend();
      assertThat(mel(manager).slots()).isEqualTo(1);
      assertThat(mel(manager).grown()).isEqualTo(2);
      assertThat(mel(manager).shrunk()).isEqualTo(2);
    }
  }

  @Test
  void idleSlotsOfAnotherPoolMakeRoomForOneThatNeedsIt() throws Exception {
    try (BufferManager manager = new BufferManager(config(5 * PAGE, Map.of()))) {
      take(manager, Pool.MEL, 3).forEach(Lease::close);
      List<Lease> audio = take(manager, Pool.AUDIO, 3);
      assertThat(mel(manager).slots()).isEqualTo(1);
      audio.forEach(Lease::close);
    }
  }

  @Test
  void exhaustionWaitsUntilALeaseEnds() throws Exception {
    BufferConfig patient = config(100 * PAGE, Map.of());
    try (BufferManager manager =
        new BufferManager(
            new BufferConfig(
                patient.capBytes(),
                patient.pools(),
                Duration.ofSeconds(20),
                patient.leakAge(),
                patient.idle(),
                true))) {
      List<Lease> all = take(manager, Pool.MEL, 3);
      CompletableFuture<Lease> waiter =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return manager.acquire(Pool.MEL, "waiter");
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      while (mel(manager).waiting() == 0) {
        Thread.onSpinWait();
      }
      assertThat(waiter).isNotDone();
      all.get(1).close();
      waiter.get(10, TimeUnit.SECONDS).close();
      assertThat(mel(manager).exhausted()).isEqualTo(1);
      assertThat(mel(manager).failed()).isZero();
      all.get(0).close();
      all.get(2).close();
    }
  }

  @Test
  void waitingEndsAtItsDeadlineAndSaysWhoHasTheOldestBuffer() throws Exception {
    try (BufferManager manager = manager()) {
      List<Lease> all = take(manager, Pool.MEL, 3);
      all.get(0).handTo("the job that hangs");
      assertThatThrownBy(() -> manager.acquire(Pool.MEL, "late"))
          .isInstanceOf(PoolExhaustedException.class)
          .hasMessageContaining("late")
          .hasMessageContaining("the job that hangs");
      assertThat(mel(manager).failed()).isEqualTo(1);
      assertThat(mel(manager).waiting()).isZero();
      all.forEach(Lease::close);
    }
  }

  @Test
  void unpooledBuffersCarryOnWherePoolsAreExhaustedOrSwitchedOff() throws Exception {
    Map<Pool, PoolConfig> changed =
        Map.of(
            Pool.MEL, new PoolConfig(PAGE, 0, 1, Exhaustion.UNPOOLED, true),
            Pool.AUDIO, new PoolConfig(PAGE, 2, 2, Exhaustion.FAIL, false));
    try (BufferManager manager = new BufferManager(config(100 * PAGE, changed))) {
      List<Lease> leases = take(manager, Pool.MEL, 3);
      assertThat(mel(manager).unpooled()).isEqualTo(2);
      assertThat(mel(manager).inUse()).isEqualTo(3);
      leases.addAll(take(manager, Pool.AUDIO, 5));
      assertThat(manager.statistics().of(Pool.AUDIO).unpooled()).isEqualTo(5);
      assertThat(manager.statistics().of(Pool.AUDIO).slots()).isZero();
      leases.forEach(Lease::close);
      assertThat(manager.statistics().inUse()).isZero();
    }
  }

  @Test
  void closingTwiceAndUseAfterCloseAreErrorsThatNameTheOwner() throws Exception {
    try (BufferManager manager = manager()) {
      Lease lease = manager.acquire(Pool.MEL, "job 7");
      NativeBuffer kept = lease.buffer();
      lease.close();
      assertThatThrownBy(lease::close)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("job 7")
          .hasMessageContaining("twice");
      assertThatThrownBy(lease::buffer)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("job 7");
      assertThatThrownBy(() -> lease.handTo("job 8")).hasMessageContaining("job 7");
      assertThatThrownBy(kept::address).isInstanceOf(IllegalStateException.class);
      try (Lease next = manager.acquire(Pool.MEL, "job 9")) {
        assertThat(next.generation()).isEqualTo(2);
        assertThat(mel(manager).inUse()).isEqualTo(1);
      }
    }
  }

  @Test
  void debugModeShowsStaleReadersPoisonAndCountsStaleWrites() throws Exception {
    try (BufferManager manager = manager()) {
      Lease lease = manager.acquire(Pool.MEL, "careless");
      var stale = lease.buffer().bytes(); // a raw view that outlives the lease
      stale.putFloat(0, 1f);
      lease.close();
      assertThat(stale.getFloat(0)).isNaN();
      manager.acquire(Pool.MEL, "next").close();
      assertThat(mel(manager).writesAfterClose()).isZero();
      stale.putFloat(8, 1f);
      manager.acquire(Pool.MEL, "one after").close();
      assertThat(mel(manager).writesAfterClose()).isEqualTo(1);
    }
  }

  @Test
  void aLeakIsALeaseThatIsOlderThanTheLimit() throws Exception {
    try (BufferManager manager = manager()) {
      Lease lease = manager.acquire(Pool.MEL, "forgotten");
      assertThat(mel(manager).leaks()).isZero();
      while (lease.age().compareTo(Duration.ofMillis(51)) < 0) {
        Thread.sleep(5);
      }
      assertThat(mel(manager).leaks()).isEqualTo(1);
      assertThat(mel(manager).oldestOwner()).isEqualTo("forgotten");
      lease.close();
      assertThat(mel(manager).leaks()).isZero();
    }
  }
}
