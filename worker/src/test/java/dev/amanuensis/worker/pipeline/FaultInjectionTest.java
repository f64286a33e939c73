package dev.amanuensis.worker.pipeline;

import static dev.amanuensis.worker.pipeline.SimulatedPipeline.get;
import static dev.amanuensis.worker.pipeline.SimulatedPipeline.noise;
import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.buffers.BufferStatistics.PoolStatistics;
import dev.amanuensis.worker.buffers.Exhaustion;
import dev.amanuensis.worker.buffers.Lease;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.buffers.PoolConfig;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.pipeline.SimulatedPipeline.Plan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever breaks: the count moves, the job gets a result, the others are unharmed. */
class FaultInjectionTest {
  private static final byte[] AUDIO = noise(1, 3);

  /** As a full stack or memory would: nothing that a job can do should bring it about. */
  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private static void assertOthersComplete(List<CompletableFuture<JobResult>> others)
      throws Exception {
    for (CompletableFuture<JobResult> other : others) {
      assertThat(get(other).status()).isEqualTo(JobResult.Status.COMPLETED);
    }
  }

  private static List<CompletableFuture<JobResult>> others(SimulatedPipeline p, int n) {
    List<CompletableFuture<JobResult>> others = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      others.add(p.submit("other", noise(i, 3 + i), 0));
    }
    return others;
  }

  @ParameterizedTest
  @EnumSource(Stage.class)
  void killedStageThreadStartsAgain(Stage victim) throws Exception {
    Plan plan = new Plan();
    plan.faults =
        (stage, job) -> {
          if (stage == victim && job.id().equals("deadly")) {
            throw new Killed();
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      List<CompletableFuture<JobResult>> others = others(p, 10);
      List<CompletableFuture<JobResult>> deadly =
          IntStream.range(0, 4).mapToObj(i -> p.submit("deadly", AUDIO, 0)).toList();
      others.addAll(others(p, 10));
      for (CompletableFuture<JobResult> job : deadly) {
        assertThat(get(job).errorCode()).isEqualTo(ErrorCode.INTERNAL);
      }
      assertOthersComplete(others);
      PipelineSnapshot end = p.settle();
      assertThat(end.stage(victim).restarts()).isEqualTo(4);
      assertThat(end.buffers().inUse()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(Stage.class)
  void workThatTakesTooLongEnds(Stage slow) throws Exception {
    Plan plan = new Plan();
    plan.config =
        SimulatedPipeline.with(PipelineConfig.Mode.STAGED, 100, 8, Duration.ofMillis(1500));
    plan.faults =
        (stage, job) -> {
          if (stage == slow && job.id().equals("slow")) {
            sleepWhatever(Duration.ofMillis(2300));
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      CompletableFuture<JobResult> late = p.submit("slow", AUDIO, 0);
      List<CompletableFuture<JobResult>> others = slow == Stage.DECODE ? List.of() : others(p, 5);
      JobResult result = get(late);
      assertThat(result.errorCode()).isEqualTo(ErrorCode.STAGE_TIMEOUT);
      assertThat(result.errorMessage()).contains(slow.label());
      assertOthersComplete(others);
      assertOthersComplete(others(p, 3));
      PipelineSnapshot end = p.settle();
      assertThat(end.stage(slow).timeouts()).isEqualTo(1);
      assertThat(end.buffers().inUse()).isZero();
    }
  }

  /** As native code does: an interrupt does not end it. */
  private static void sleepWhatever(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  @Test
  void fullQueuesHoldBackTheStageBeforeThemAndLoseNothing() throws Exception {
    Plan plan = new Plan();
    plan.config = SimulatedPipeline.with(PipelineConfig.Mode.STAGED, 12, 2, Duration.ofSeconds(60));
    CountDownLatch go = new CountDownLatch(1);
    plan.faults =
        (stage, job) -> {
          if (stage == Stage.ENCODE) {
            go.await();
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      List<CompletableFuture<JobResult>> jobs = others(p, 12);
      while (p.pipeline.snapshot().stage(Stage.ENCODE).overflows() == 0) {
        Thread.sleep(5);
      }
      assertThat(
              p.pipeline.tryAdmit(
                  SimulatedPipeline.job("one more", AUDIO, 0, null), null, result -> {}))
          .isNull();
      PipelineSnapshot full = p.pipeline.snapshot();
      assertThat(full.refused()).isEqualTo(1);
      assertThat(full.stage(Stage.ENCODE).queued()).isLessThanOrEqualTo(2);
      go.countDown();
      assertOthersComplete(jobs);
    }
  }

  @ParameterizedTest
  @EnumSource(Pool.class)
  void exhaustedPoolHoldsBackUntilBuffersReturn(Pool pool) throws Exception {
    Plan plan = new Plan();
    plan.pools.put(pool, PoolConfig.of(slotBytes(pool), 1, 1));
    try (SimulatedPipeline p = plan.start()) {
      Lease held = p.buffers.acquire(pool, "the test");
      List<CompletableFuture<JobResult>> jobs = others(p, 4);
      while (of(p, pool).waiting() == 0) {
        Thread.sleep(5);
      }
      assertThat(jobs).noneMatch(CompletableFuture::isDone);
      held.close();
      assertOthersComplete(jobs);
      assertThat(of(p, pool).exhausted()).isPositive();
      assertThat(of(p, pool).failed()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(Pool.class)
  void exhaustedPoolFailsTheJobThatNeedsItWhereSoConfigured(Pool pool) throws Exception {
    Plan plan = new Plan();
    plan.pools.put(pool, new PoolConfig(slotBytes(pool), 1, 1, Exhaustion.FAIL, true));
    try (SimulatedPipeline p = plan.start()) {
      Lease held = p.buffers.acquire(pool, "the test");
      JobResult refused = get(p.submit("job", AUDIO, 0));
      assertThat(refused.errorCode()).isEqualTo(ErrorCode.BUFFERS_EXHAUSTED);
      held.close();
      assertThat(get(p.submit("job", AUDIO, 0)).status()).isEqualTo(JobResult.Status.COMPLETED);
      assertThat(of(p, pool).failed()).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource(Pool.class)
  void waitForABufferEndsAtItsDeadlineWithAResult(Pool pool) throws Exception {
    Plan plan = new Plan();
    plan.patience = Duration.ofMillis(150);
    plan.pools.put(pool, PoolConfig.of(slotBytes(pool), 1, 1));
    try (SimulatedPipeline p = plan.start()) {
      Lease held = p.buffers.acquire(pool, "the one that hangs");
      JobResult refused = get(p.submit("job", AUDIO, 0));
      assertThat(refused.errorCode()).isEqualTo(ErrorCode.BUFFERS_EXHAUSTED);
      assertThat(refused.errorMessage()).contains(pool.label()).contains("the one that hangs");
      held.close();
      assertThat(get(p.submit("job", AUDIO, 0)).status()).isEqualTo(JobResult.Status.COMPLETED);
    }
  }

  @ParameterizedTest
  @EnumSource(Pool.class)
  void poolsCarryOnUnpooledOrSwitchedOff(Pool pool) throws Exception {
    for (PoolConfig config :
        List.of(
            new PoolConfig(slotBytes(pool), 0, 1, Exhaustion.UNPOOLED, true),
            new PoolConfig(slotBytes(pool), 1, 1, Exhaustion.FAIL, false))) {
      Plan plan = new Plan();
      plan.pools.put(pool, config);
      try (SimulatedPipeline p = plan.start()) {
        assertOthersComplete(others(p, 12));
        PipelineSnapshot end = p.settle();
        assertThat(end.buffers().inUse()).isZero();
        if (!config.enabled()) {
          assertThat(end.buffers().of(pool).unpooled()).isPositive();
        }
      }
    }
  }

  @Test
  void listenerThatThrowsHarmsNobody() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Plan plan = new Plan();
    plan.listener =
        new PipelineListener() {
          @Override
          public void entered(Stage stage, dev.amanuensis.worker.job.Job job, long waited) {
            calls.incrementAndGet();
            throw new IllegalStateException("a bad listener");
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      assertOthersComplete(others(p, 2));
      assertThat(calls.get()).isPositive();
    }
  }

  private static PoolStatistics of(SimulatedPipeline p, Pool pool) {
    return p.buffers.statistics().of(pool);
  }

  private static long slotBytes(Pool pool) {
    return switch (pool) {
      case MEL, AUDIO -> 960_000;
      case ENCODER -> 3_072_000;
      case CROSS_KV -> 4096;
    };
  }
}
