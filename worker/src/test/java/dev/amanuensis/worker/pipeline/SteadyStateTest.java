package dev.amanuensis.worker.pipeline;

import static dev.amanuensis.worker.pipeline.SimulatedPipeline.get;
import static dev.amanuensis.worker.pipeline.SimulatedPipeline.noise;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.amanuensis.worker.buffers.BufferStatistics.PoolStatistics;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.pipeline.SimulatedPipeline.Plan;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Once every buffer that a load needs is there, no more memory of audio size is asked for. */
class SteadyStateTest {
  private static final int WARM_UP = 60;
  private static final int JOBS = 100;

  /** A window's PCM and log-mel have 960,000 bytes each. */
  private static final long MOST_BYTES_PER_JOB = 100_000;

  private static void run(SimulatedPipeline p, List<byte[]> audio, int jobs) throws Exception {
    List<CompletableFuture<JobResult>> results = new ArrayList<>();
    for (int i = 0; i < jobs; i++) {
      results.add(p.submit("job", audio.get(i % audio.size()), 0));
    }
    for (CompletableFuture<JobResult> result : results) {
      assertThat(get(result).status()).isEqualTo(JobResult.Status.COMPLETED);
    }
    p.settle();
  }

  /** On the Java heap, by the threads of the stages. */
  private static long allocated() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long[] ids =
        Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
            .filter(t -> t != null && t.getThreadName().matches("(prepare|encode|decode)-\\d+"))
            .mapToLong(java.lang.management.ThreadInfo::getThreadId)
            .toArray();
    assertThat(ids.length).isGreaterThanOrEqualTo(Stage.values().length);
    return Arrays.stream(threads.getThreadAllocatedBytes(ids)).sum();
  }

  /** Slots that were allocated, after the initial ones or after idle ones were given back. */
  private static long made(PipelineSnapshot s) {
    return s.buffers().pools().stream().mapToLong(p -> p.grown() + p.unpooled()).sum();
  }

  private static long leases(PipelineSnapshot s) {
    return s.buffers().pools().stream().mapToLong(PoolStatistics::acquired).sum();
  }

  @Test
  void noMemoryOfAudioSizeIsAllocated() throws Exception {
    List<byte[]> audio = List.of(noise(1, 3), noise(2, 29), noise(3, 29.9));
    Plan plan = new Plan();
    plan.idle = Duration.ofMinutes(10);
    try (SimulatedPipeline p = plan.start()) {
      run(p, audio, WARM_UP);
      PipelineSnapshot warm = p.pipeline.snapshot();
      long before = allocated();
      run(p, audio, JOBS);
      long perJob = (allocated() - before) / JOBS;
      System.out.printf("a job makes %,d bytes of garbage in the stages%n", perJob);
      assertThat(perJob).isLessThan(MOST_BYTES_PER_JOB);
      PipelineSnapshot end = p.pipeline.snapshot();
      assertThat(leases(end) - leases(warm)).isGreaterThanOrEqualTo(3 * JOBS);
      // A worse pile-up than before may need a few more, up to the pools' limits.
      assertThat(made(end) - made(warm)).isLessThan(JOBS / 5);
      assertThat(end.buffers().pools()).allMatch(pool -> pool.unpooled() == 0);
    }
  }
}
