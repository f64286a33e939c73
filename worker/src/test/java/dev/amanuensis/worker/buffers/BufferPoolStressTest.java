package dev.amanuensis.worker.buffers;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Many threads take, hand on, close (also twice) and wait, while slots grow and shrink. */
class BufferPoolStressTest {
  private static final int THREADS = 12;
  private static final int ROUNDS = 15_000;
  private static final int SLOTS = 5;
  private static final int PAGE = 4096;

  @Test
  void noBufferIsEverInTwoHandsAndNoneIsLost() throws Exception {
    Map<Pool, PoolConfig> pools = new EnumMap<>(Pool.class);
    for (Pool pool : Pool.values()) {
      pools.put(pool, PoolConfig.of(PAGE, 1, SLOTS));
    }
    BufferConfig config =
        new BufferConfig(
            9 * PAGE, pools, Duration.ofSeconds(60), Duration.ofHours(1), Duration.ZERO, false);
    ExecutorService executor = Executors.newFixedThreadPool(THREADS + 1);
    LongAdder doubleCloses = new LongAdder();
    AtomicIntegerArray holders = new AtomicIntegerArray(Pool.values().length * SLOTS);
    try (BufferManager manager = new BufferManager(config)) {
      CountDownLatch start = new CountDownLatch(1);
      AtomicInteger running = new AtomicInteger(THREADS);
      var done =
          IntStream.range(0, THREADS)
              .<Future<?>>mapToObj(
                  t ->
                      executor.submit(
                          () -> {
                            start.await();
                            try {
                              work(manager, t, holders, doubleCloses);
                            } finally {
                              running.decrementAndGet();
                            }
                            return null;
                          }))
              .toList();
      Future<?> tender =
          executor.submit(
              () -> {
                start.await();
                while (running.get() > 0) {
                  manager.tend(); // shrinks whatever is idle this very moment
                  assertThat(manager.statistics().usedBytes()).isLessThanOrEqualTo(9 * PAGE);
                  Thread.sleep(1);
                }
                return null;
              });
      start.countDown();
      for (Future<?> future : done) {
        future.get(120, TimeUnit.SECONDS);
      }
      tender.get(10, TimeUnit.SECONDS);
      BufferStatistics end = manager.statistics();
      assertThat(end.inUse()).isZero();
      long acquired = 0;
      for (BufferStatistics.PoolStatistics pool : end.pools()) {
        assertThat(pool.waiting()).isZero();
        assertThat(pool.failed()).isZero();
        acquired += pool.acquired();
      }
      assertThat(acquired).isEqualTo((long) THREADS * ROUNDS);
      assertThat(doubleCloses.sum()).isEqualTo((long) THREADS * ROUNDS);
      assertThat(end.pools()).anyMatch(pool -> pool.shrunk() > 0);
      assertThat(end.pools()).anyMatch(pool -> pool.exhausted() > 0);
    } finally {
      executor.shutdownNow();
    }
  }

  private static void work(
      BufferManager manager, int thread, AtomicIntegerArray holders, LongAdder doubleCloses)
      throws InterruptedException {
    SplittableRandom random = new SplittableRandom(thread);
    for (int i = 0; i < ROUNDS; i++) {
      Pool pool = Pool.values()[random.nextInt(Pool.values().length)];
      Lease lease = manager.acquire(pool, "thread " + thread);
      int holder = pool.ordinal() * SLOTS + lease.slot.index;
      long mark = (long) thread << 32 | i;
      assertThat(holders.incrementAndGet(holder)).isEqualTo(1);
      lease.buffer().bytes().putLong(0, mark).putLong(PAGE - 8, mark);
      if (random.nextInt(64) == 0) {
        Thread.yield();
      }
      assertThat(lease.buffer().bytes().getLong(0)).isEqualTo(mark);
      assertThat(lease.buffer().bytes().getLong(PAGE - 8)).isEqualTo(mark);
      assertThat(holders.decrementAndGet(holder)).isZero();
      lease.close();
      try {
        lease.close();
      } catch (IllegalStateException e) {
        doubleCloses.increment();
      }
    }
  }
}
