package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what happens in the pipeline, and tells the listener. Thread-safe. */
final class PipelineMeter {
  private static final Logger LOG = LoggerFactory.getLogger(PipelineMeter.class);

  /** Of one stage. */
  private static final class Counts {
    final AtomicInteger inFlight = new AtomicInteger();
    final LongAdder count = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder busy = new LongAdder();
    final LongAdder waited = new LongAdder();
    final LongAdder overflows = new LongAdder();
    final LongAdder timeouts = new LongAdder();
    final LongAdder restarts = new LongAdder();
  }

  private final PipelineListener listener;
  private final Map<Stage, Counts> stages = new EnumMap<>(Stage.class);
  private final Map<JobResult.Status, LongAdder> ended = new EnumMap<>(JobResult.Status.class);
  private final LongAdder admitted = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder windows = new LongAdder();
  private final LongAdder audioMillis = new LongAdder();
  private final LongAdder steps = new LongAdder();
  private final LongAdder rows = new LongAdder();

  PipelineMeter(PipelineListener listener) {
    this.listener = listener;
    for (Stage stage : Stage.values()) {
      stages.put(stage, new Counts());
    }
    for (JobResult.Status status : JobResult.Status.values()) {
      ended.put(status, new LongAdder());
    }
  }

  private void tell(Consumer<PipelineListener> news) {
    try {
      news.accept(listener);
    } catch (RuntimeException e) {
      LOG.warn("a listener failed", e);
    }
  }

  void admitted(Job job) {
    admitted.increment();
    tell(l -> l.admitted(job));
  }

  void refused(Job job) {
    refused.increment();
    tell(l -> l.refused(job));
  }

  void entered(Stage stage, Job job, long waitedNanos) {
    stages.get(stage).inFlight.incrementAndGet();
    stages.get(stage).waited.add(waitedNanos);
    tell(l -> l.entered(stage, job, waitedNanos));
  }

  void left(Stage stage, Job job, long tookNanos, boolean failed) {
    Counts counts = stages.get(stage);
    counts.inFlight.decrementAndGet();
    counts.count.increment();
    counts.busy.add(tookNanos);
    if (failed) {
      counts.failures.increment();
    }
    tell(l -> l.left(stage, job, tookNanos, failed));
  }

  void stepped(int rowCount, long tookNanos) {
    steps.increment();
    rows.add(rowCount);
    tell(l -> l.stepped(rowCount, tookNanos));
  }

  void encodedAgain(Job job) {
    tell(l -> l.encodedAgain(job));
  }

  void windowDone(Job job, int attempts) {
    windows.increment();
    tell(l -> l.windowDone(job, attempts));
  }

  void aligned(Job job, long tookNanos) {
    tell(l -> l.aligned(job, tookNanos));
  }

  void timedOut(Stage stage, Job job) {
    stages.get(stage).timeouts.increment();
    tell(l -> l.timedOut(stage, job));
  }

  void overflowed(Stage stage) {
    stages.get(stage).overflows.increment();
    tell(l -> l.overflowed(stage));
  }

  void restarted(Stage stage, Throwable cause) {
    stages.get(stage).restarts.increment();
    tell(l -> l.restarted(stage, cause));
  }

  void ended(JobResult result) {
    ended.get(result.status()).increment();
    if (result.transcription() != null) {
      audioMillis.add(Math.round(result.transcription().durationSeconds() * 1000));
    }
    tell(l -> l.ended(result));
  }

  PipelineSnapshot.StageSnapshot snapshot(Stage stage, int threads, int queued, int queueCapacity) {
    Counts c = stages.get(stage);
    return new PipelineSnapshot.StageSnapshot(
        stage,
        threads,
        queued,
        queueCapacity,
        c.inFlight.get(),
        c.count.sum(),
        c.failures.sum(),
        Duration.ofNanos(c.busy.sum()),
        Duration.ofNanos(c.waited.sum()),
        c.overflows.sum(),
        c.timeouts.sum(),
        c.restarts.sum());
  }

  PipelineSnapshot.DecoderSnapshot decoder(int maxSequences) {
    return new PipelineSnapshot.DecoderSnapshot(
        maxSequences, stages.get(Stage.DECODE).inFlight.get(), steps.sum(), rows.sum());
  }

  int inFlight(Stage stage) {
    return stages.get(stage).inFlight.get();
  }

  long admitted() {
    return admitted.sum();
  }

  long refused() {
    return refused.sum();
  }

  long windows() {
    return windows.sum();
  }

  Duration audio() {
    return Duration.ofMillis(audioMillis.sum());
  }

  Map<JobResult.Status, Long> ended() {
    Map<JobResult.Status, Long> sums = new EnumMap<>(JobResult.Status.class);
    ended.forEach((status, count) -> sums.put(status, count.sum()));
    return Map.copyOf(sums);
  }
}
