package dev.amanuensis.worker.pipeline;

import static dev.amanuensis.worker.pipeline.SimulatedPipeline.get;
import static dev.amanuensis.worker.pipeline.SimulatedPipeline.noise;
import static dev.amanuensis.worker.pipeline.SimulatedPipeline.outcome;
import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.pipeline.SimulatedPipeline.Plan;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class PipelineTest {
  private static final byte[] BROKEN =
      "not audio at all".repeat(50).getBytes(StandardCharsets.UTF_8);

  /** Three to ninety seconds, and every twentieth is broken. */
  private static Map<String, byte[]> mixed(int n) {
    Random random = new Random(5);
    Map<String, byte[]> jobs = new LinkedHashMap<>();
    for (int i = 0; i < n; i++) {
      double seconds = i % 10 == 9 ? 31 + random.nextInt(60) : 3 + random.nextInt(25);
      jobs.put("job " + i, i % 20 == 7 ? BROKEN : noise(i, seconds));
    }
    return jobs;
  }

  private static Map<String, String> outcomes(Plan plan, Map<String, byte[]> jobs)
      throws Exception {
    try (SimulatedPipeline p = plan.start()) {
      Map<String, CompletableFuture<JobResult>> futures = new LinkedHashMap<>();
      jobs.forEach((id, audio) -> futures.put(id, p.submit(id, audio, 0)));
      Map<String, String> outcomes = new LinkedHashMap<>();
      for (var entry : futures.entrySet()) {
        outcomes.put(entry.getKey(), outcome(get(entry.getValue())));
      }
      PipelineSnapshot end = p.settle();
      assertThat(end.buffers().inUse()).isZero();
      assertThat(end.buffers().leaks()).isZero();
      assertThat(end.buffers().pools()).allMatch(pool -> pool.writesAfterClose() == 0);
      assertThat(end.stages()).allMatch(s -> s.inFlight() == 0 && s.queued() == 0);
      return outcomes;
    }
  }

  @Test
  void mixedLoadGivesWhatSequentialModeGivesAndLeavesNoBufferInUse() throws Exception {
    Map<String, byte[]> jobs = mixed(60);
    Plan sequential = new Plan();
    sequential.config =
        SimulatedPipeline.with(PipelineConfig.Mode.SEQUENTIAL, 100, 8, Duration.ofSeconds(60));
    Map<String, String> staged = outcomes(new Plan(), jobs);
    Map<String, String> alone = outcomes(sequential, jobs);
    assertThat(staged.keySet().stream().filter(id -> !staged.get(id).equals(alone.get(id))))
        .isEmpty();
    assertThat(staged.values().stream().filter(o -> o.startsWith("COMPLETED"))).hasSize(57);
    assertThat(staged.values().stream().filter(o -> o.contains("AUDIO_UNREADABLE"))).hasSize(3);
    assertThat(staged.get("job 0")).contains("[simulated ");
  }

  @Test
  void copiesOfAudioStayAtThreePerWindow() throws Exception {
    try (SimulatedPipeline p = new Plan().start()) {
      for (double seconds : new double[] {3, 29, 100}) {
        JobResult result = get(p.submit("job", noise(1, seconds), 0));
        // The simulated encoder writes no states: PCM and log-mel are what is left.
        assertThat(result.timings().get("copies_per_window")).isEqualTo(2.0);
      }
    }
  }

  /** What happens in prepare and encode, in order: "+prepare bulk 7" where it begins. */
  private static final class Events implements PipelineListener {
    final ConcurrentLinkedQueue<String> all = new ConcurrentLinkedQueue<>();

    @Override
    public void entered(Stage stage, Job job, long waitedNanos) {
      all.add("+" + stage.label() + " " + job.id());
    }

    @Override
    public void left(Stage stage, Job job, long tookNanos, boolean failed) {
      all.add("-" + stage.label() + " " + job.id());
    }
  }

  private static long count(List<String> events, String kind) {
    return events.stream().filter(e -> e.startsWith(kind)).count();
  }

  /** Jobs of a lower priority than this one's fetch from servers that take their time. */
  private static void preparedThoughLowerOnesAreSlow(int priority, int below, int theirThreads)
      throws Exception {
    Plan plan = new Plan();
    CountDownLatch served = new CountDownLatch(1);
    AtomicInteger fetching = new AtomicInteger();
    plan.faults =
        (stage, job) -> {
          if (stage == Stage.PREPARE && job.priority() < priority) {
            fetching.incrementAndGet();
            served.await();
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      List<CompletableFuture<JobResult>> slow = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        slow.add(p.submit("slow " + i, noise(i, 3), below));
      }
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (fetching.get() < theirThreads && System.nanoTime() < end) {
        Thread.sleep(5);
      }
      JobResult first = get(p.submit("first", noise(7, 3), priority));
      assertThat(first.status()).isEqualTo(JobResult.Status.COMPLETED);
      assertThat(slow).noneMatch(CompletableFuture::isDone);
      assertThat(fetching).hasValue(theirThreads);
      served.countDown();
      for (CompletableFuture<JobResult> s : slow) {
        assertThat(get(s).status()).isEqualTo(JobResult.Status.COMPLETED);
      }
      p.settle();
    }
  }

  @Test
  void slowBulkReferencesDoNotDelayTheNormalLane() throws Exception {
    int all = new Plan().config.prepareThreads();
    preparedThoughLowerOnesAreSlow(0, -1_000, all);
  }

  @Test
  void slowReferencesOfTheOtherLanesDoNotDelayTheInteractiveOne() throws Exception {
    int all = new Plan().config.prepareThreads();
    preparedThoughLowerOnesAreSlow(1_000, 0, all + 1);
    preparedThoughLowerOnesAreSlow(1_000, -1_000, all);
  }

  @Test
  void highPriorityStartsWithinOneWindowBehindTwoHundredBulkJobs() throws Exception {
    Plan plan = new Plan();
    plan.window = Duration.ofMillis(30);
    Events events = new Events();
    plan.listener = events;
    try (SimulatedPipeline p = plan.start()) {
      List<CompletableFuture<JobResult>> bulk = new ArrayList<>();
      byte[] audio = noise(1, 5);
      for (int i = 0; i < 200; i++) {
        bulk.add(p.submit("bulk " + i, audio, 0));
      }
      while (count(List.copyOf(events.all), "+encode") < 20) {
        Thread.sleep(1);
      }
      int submitted = events.all.size();
      get(p.submit("urgent", audio, 5));
      List<String> order = new ArrayList<>(events.all);
      int prepare = order.indexOf("+prepare urgent");
      int prepared = order.indexOf("-prepare urgent");
      int encode = order.indexOf("+encode urgent");
      // Threads that had chosen their work already may still begin with it; no more than that.
      assertThat(count(order.subList(submitted, prepare), "+prepare"))
          .isLessThanOrEqualTo(plan.config.prepareThreads() + 1);
      assertThat(count(order.subList(prepared, encode), "+encode"))
          .isLessThanOrEqualTo(plan.config.encodeLanes());
      assertThat(bulk.stream().filter(CompletableFuture::isDone).count()).isLessThan(100);
      for (CompletableFuture<JobResult> job : bulk) {
        assertThat(get(job).status()).isEqualTo(JobResult.Status.COMPLETED);
      }
    }
  }

  @Test
  void bulkJobFinishesUnderConstantPriorityLoadBecauseItAges() throws Exception {
    Plan plan = new Plan();
    plan.window = Duration.ofMillis(10);
    PipelineConfig c = plan.config;
    plan.config =
        new PipelineConfig(
            c.mode(),
            c.maxJobs(),
            c.prepareThreads(),
            c.encodeLanes(),
            c.decodeLanes(),
            c.maxSequences(),
            c.prepareQueue(),
            c.encodeQueue(),
            c.decodeQueue(),
            Duration.ofMillis(50),
            c.timeouts());
    try (SimulatedPipeline p = plan.start()) {
      byte[] audio = noise(1, 1);
      AtomicInteger load = new AtomicInteger();
      CountDownLatch stop = new CountDownLatch(1);
      Thread pressure =
          new Thread(
              () -> {
                while (stop.getCount() > 0) {
                  if (load.get() < 30) {
                    load.incrementAndGet();
                    p.submit("urgent", audio, 100).thenRun(load::decrementAndGet);
                  } else {
                    LockSupport.parkNanos(1_000_000);
                  }
                }
              });
      pressure.start();
      while (load.get() < 30) {
        Thread.sleep(1);
      }
      CompletableFuture<JobResult> bulk = p.submit("bulk", noise(2, 65), 0); // three windows
      assertThat(get(bulk).status()).isEqualTo(JobResult.Status.COMPLETED);
      assertThat(load.get()).isGreaterThan(15); // the pressure had not gone
      stop.countDown();
      pressure.join();
    }
  }

  @Test
  void equalPrioritiesGoByDeadlineThenByArrival() throws Exception {
    Plan plan = new Plan();
    plan.config =
        SimulatedPipeline.with(PipelineConfig.Mode.SEQUENTIAL, 100, 8, Duration.ofSeconds(60));
    CountDownLatch go = new CountDownLatch(1);
    ConcurrentLinkedQueue<String> order = new ConcurrentLinkedQueue<>();
    plan.faults =
        (stage, job) -> {
          if (stage == Stage.PREPARE) {
            order.add(job.id());
            go.await();
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      byte[] audio = noise(1, 3);
      List<CompletableFuture<JobResult>> all = new ArrayList<>();
      all.add(p.submit("first", audio, 0));
      while (order.isEmpty()) {
        Thread.sleep(1);
      }
      Instant soon = Instant.now().plusSeconds(60);
      all.add(p.submit("a", audio, 0));
      all.add(p.submit("b", audio, 0));
      all.add(p.submit(SimulatedPipeline.job("late", audio, 0, soon.plusSeconds(60))));
      all.add(p.submit(SimulatedPipeline.job("soon", audio, 0, soon)));
      all.add(p.submit("high", audio, 1));
      go.countDown();
      for (CompletableFuture<JobResult> job : all) {
        get(job);
      }
      assertThat(order).containsExactly("first", "high", "soon", "late", "a", "b");
    }
  }

  @Test
  void cancelledAndExpiredJobsEndAtOnceAndTheOthersGoOn() throws Exception {
    Plan plan = new Plan();
    CountDownLatch go = new CountDownLatch(1);
    plan.faults =
        (stage, job) -> {
          if (stage == Stage.ENCODE && !job.id().equals("other")) {
            go.await();
          }
        };
    try (SimulatedPipeline p = plan.start()) {
      byte[] audio = noise(1, 3);
      var cancelled = p.submit("cancelled", audio, 0);
      var expired =
          p.submit(SimulatedPipeline.job("expired", audio, 0, Instant.now().plusMillis(300)));
      assertThat(get(expired).status()).isEqualTo(JobResult.Status.EXPIRED);
      assertThat(p.pipeline.cancel("cancelled")).isEqualTo(1);
      assertThat(get(cancelled).status()).isEqualTo(JobResult.Status.CANCELLED);
      assertThat(get(p.submit("other", audio, 0)).status()).isEqualTo(JobResult.Status.COMPLETED);
      go.countDown();
      assertThat(p.settle().buffers().inUse()).isZero();
    }
  }

  @Test
  void optionThatNeedsMoreSequencesThanTheBatchHasIsRefused() throws Exception {
    Plan plan = new Plan();
    PipelineConfig c = plan.config;
    plan.config =
        new PipelineConfig(c.mode(), c.maxJobs(), 1, 1, 1, 2, 10, 10, 3, c.ageing(), c.timeouts());
    try (SimulatedPipeline p = plan.start()) {
      Job job = SimulatedPipeline.job("beams", noise(1, 3), 0, null);
      Job beams =
          new Job(
              job.id(),
              job.source(),
              null,
              job.options().withBeamSize(5),
              0,
              null,
              Instant.now(),
              Map.of());
      JobResult result = get(p.submit(beams));
      assertThat(result.errorCode()).isEqualTo(ErrorCode.INVALID_OPTION);
      assertThat(get(p.submit("next", noise(1, 3), 0)).status())
          .isEqualTo(JobResult.Status.COMPLETED);
    }
  }
}
