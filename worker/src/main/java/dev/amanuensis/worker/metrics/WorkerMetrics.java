package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

/**
 * What happens in a worker, counted. The rooms report events; the names, units and labels are those
 * of {@link Meters}. Never throws for what it is told, takes about a microsecond. Thread-safe.
 */
public final class WorkerMetrics {
  /** Why work is done again; what a device's host does again is observed (reason "device"). */
  public enum Retry {
    /** A window failed the quality thresholds and is decoded at a higher temperature. */
    TEMPERATURE,
    /** A window gave a doubtful result with its padding thinned out and is encoded in full. */
    PADDING,
    /** A transaction was aborted or its outcome is unknown. */
    TRANSACTION,
    /** The registry did not answer. */
    REGISTRY
  }

  private static final double[] PERCENTILES = {0.5, 0.95, 0.99};

  private final MeterRegistry registry;

  /** Micrometer refers to them weakly. */
  private final Set<DoubleSupplier> observed = ConcurrentHashMap.newKeySet();

  private final RecentJobs recent = new RecentJobs();
  private final RollingRate jobRate = new RollingRate();
  private final RollingRate windowRate = new RollingRate();
  private final RollingRate audioRate = new RollingRate();
  private final Map<StageName, Timer> service = new EnumMap<>(StageName.class);
  private final Map<StageName, Timer> waits = new EnumMap<>(StageName.class);
  private final Map<StageName, Counter> timeouts = new EnumMap<>(StageName.class);
  private final Map<StageName, Counter> overflows = new EnumMap<>(StageName.class);
  private final Map<StageName, Counter> restarts = new EnumMap<>(StageName.class);
  private final Map<Retry, Counter> retries = new EnumMap<>(Retry.class);
  private final Counter audio;
  private final Counter windows;
  private final Counter rows;
  private final Counter suspects;
  private final Counter copied;
  private final Timer delay;
  private final Timer step;
  private final Timer marks;
  private final DistributionSummary batch;

  /** Meters of one worker in a registry of its own. */
  public WorkerMetrics(MeterRegistry registry) {
    this.registry = registry;
    for (StageName s : StageName.values()) {
      service.put(s, timer(Meters.STAGE_DURATION, Buckets.SERVICE, "stage", s.label()));
      timeouts.put(s, counter(Meters.STAGE_TIMEOUTS, "stage", s.label()));
      restarts.put(s, counter(Meters.STAGE_RESTARTS, "stage", s.label()));
      if (s != StageName.ALIGN) { // follows decode on the same thread
        waits.put(s, timer(Meters.QUEUE_WAIT, Buckets.WAIT, "stage", s.label()));
        overflows.put(s, counter(Meters.QUEUE_OVERFLOWS, "stage", s.label()));
      }
    }
    for (Retry r : Retry.values()) {
      retries.put(r, counter(Meters.RETRIES, "reason", label(r)));
    }
    for (JobResult.Status s : JobResult.Status.values()) { // so that rate() sees the first one
      counter(Meters.JOBS_FINISHED, "status", label(s));
      timer(Meters.JOB_DURATION, Buckets.JOB, "status", label(s));
    }
    audio = counter(Meters.AUDIO);
    windows = counter(Meters.WINDOWS);
    rows = counter(Meters.DECODE_ROWS);
    suspects = counter(Meters.SUSPECTS);
    copied = counter(Meters.COPIED);
    delay = timer(Meters.JOB_DELAY, Buckets.JOB);
    step = timer(Meters.DECODE_STEP, Buckets.STEP);
    marks = timer(Meters.MARKS, Buckets.STEP);
    batch =
        DistributionSummary.builder(Meters.DECODE_BATCH.meter())
            .description(Meters.DECODE_BATCH.meaning())
            .serviceLevelObjectives(Buckets.BATCH)
            .publishPercentiles(PERCENTILES)
            .percentilePrecision(2)
            .register(registry);
  }

  /** Counts nothing: for tests, and for commands that nobody watches. */
  public static WorkerMetrics none() {
    return new WorkerMetrics(new CompositeMeterRegistry());
  }

  /** For binders of libraries, such as Micrometer's KafkaClientMetrics. */
  public MeterRegistry registry() {
    return registry;
  }

  /** Whether anybody reads the meters: false for {@link #none}. */
  public boolean watched() {
    return !(registry instanceof CompositeMeterRegistry all && all.getRegistries().isEmpty());
  }

  // ---- jobs: the pipeline reports them

  /**
   * @param lane topic that the job came from
   */
  public void jobAdmitted(Job job, String lane) {
    counter(Meters.JOBS_ADMITTED, "lane", lane).increment();
    if (job.submittedAt() != null && job.submittedAt().toEpochMilli() > 0) {
      Duration since = Duration.between(job.submittedAt(), Instant.now());
      if (!since.isNegative()) { // clocks differ
        ExemplarContext.with(job, () -> delay.record(since));
      }
    }
  }

  /** The result of a job, whether it was admitted or answered before that. */
  public void jobEnded(JobResult result) {
    recent.add(result);
    jobRate.add(1);
    counter(Meters.JOBS_FINISHED, "status", label(result.status())).increment();
    if (result.errorCode() != null) {
      counter(Meters.JOBS_FAILURES, "code", result.errorCode().name()).increment();
    }
    if (result.transcription() != null) {
      double seconds = Math.max(0, result.transcription().durationSeconds());
      audio.increment(seconds);
      audioRate.add(seconds);
    }
    copied.increment(result.timings().getOrDefault("copied_bytes", 0.0));
    Double total = result.timings().get("total");
    if (total != null) {
      Timer t = timer(Meters.JOB_DURATION, Buckets.JOB, "status", label(result.status()));
      ExemplarContext.with(
          result.job(), () -> t.record((long) (total * 1e6), TimeUnit.NANOSECONDS));
    }
  }

  // ---- stages and queues: the pipeline reports them

  /**
   * A stage's work on one file or window.
   *
   * @param job null where the work belongs to several
   */
  public void stageDone(StageName stage, Job job, long nanos) {
    ExemplarContext.with(job, () -> service.get(stage).record(nanos, TimeUnit.NANOSECONDS));
  }

  /** An entry left the queue before {@code stage}, which is not {@link StageName#ALIGN}. */
  public void queueWaited(StageName stage, Job job, long nanos) {
    ExemplarContext.with(job, () -> waits.get(stage).record(nanos, TimeUnit.NANOSECONDS));
  }

  public void stageTimedOut(StageName stage) {
    timeouts.get(stage).increment();
  }

  /** An entry found the queue before {@code stage} full. */
  public void queueOverflowed(StageName stage) {
    overflows.get(stage).increment();
  }

  /** A thread of the stage failed and starts again. */
  public void stageRestarted(StageName stage) {
    restarts.get(stage).increment();
  }

  /** A window was decoded to its end. */
  public void windowDone() {
    windows.increment();
    windowRate.add(1);
  }

  public void retried(Retry reason) {
    retries.get(reason).increment();
  }

  /**
   * One step of the decoder.
   *
   * @param sequences rows in the batch
   */
  public void decodeStep(int sequences, long nanos) {
    batch.record(sequences);
    rows.increment(sequences);
    step.record(nanos, TimeUnit.NANOSECONDS);
  }

  // ---- Kafka: intake and publish report it

  /**
   * @param outcome committed, aborted or unknown
   */
  public void transaction(String outcome, long nanos) {
    counter(Meters.TRANSACTIONS, "outcome", outcome.toLowerCase(Locale.ROOT)).increment();
    service.get(StageName.PUBLISH).record(nanos, TimeUnit.NANOSECONDS);
  }

  /** Which jobs are started was committed. */
  public void marked(long nanos) {
    marks.record(nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * A record was answered.
   *
   * @param deadLetter why it was copied to the DLQ, an error code such as UNDECODABLE; null if it
   *     was not
   */
  public void answered(String deadLetter) {
    if (deadLetter != null) {
      counter(Meters.DEAD_LETTERS, "reason", deadLetter).increment();
    }
  }

  /** A job that was in work when its worker was lost. */
  public void suspect() {
    suspects.increment();
  }

  /**
   * @param change assigned, revoked or lost
   */
  public void rebalanced(String change) {
    counter(Meters.KAFKA_REBALANCES, "change", change).increment();
  }

  // ---- for people who ask the worker itself

  /** The last jobs that got a result. */
  public RecentJobs recentJobs() {
    return recent;
  }

  /** Jobs that got a result, per second of the last minute. */
  public double jobsPerSecond() {
    return jobRate.perSecond();
  }

  /** Windows decoded, per second of the last minute. */
  public double windowsPerSecond() {
    return windowRate.perSecond();
  }

  /** Seconds of audio transcribed, per second of the last minute. */
  public double audioPerSecond() {
    return audioRate.perSecond();
  }

  /** Service times of a stage. */
  public TimerFigures service(StageName stage) {
    return TimerFigures.of(service.get(stage));
  }

  /** Waiting times before a stage, which is not {@link StageName#ALIGN}. */
  public TimerFigures wait(StageName stage) {
    return TimerFigures.of(waits.get(stage));
  }

  // ---- what is read at each scrape

  /**
   * Registers a gauge, or a counter that is kept elsewhere. The supplier is called at each scrape
   * by the scraping thread: it must be quick and safe. Once per meter and labels.
   *
   * @param labels name, value, name, value, ... as the catalogue has them
   */
  public void observe(Meters meter, DoubleSupplier value, String... labels) {
    check(meter, labels);
    Tags tags = Tags.of(labels);
    String unit = meter.unit().isEmpty() ? null : meter.unit();
    observed.add(value);
    switch (meter.type()) {
      case GAUGE ->
          Gauge.builder(meter.meter(), value, DoubleSupplier::getAsDouble)
              .description(meter.meaning())
              .baseUnit(unit)
              .tags(tags)
              .register(registry);
      case COUNTER ->
          FunctionCounter.builder(meter.meter(), value, DoubleSupplier::getAsDouble)
              .description(meter.meaning())
              .baseUnit(unit)
              .tags(tags)
              .register(registry);
      default -> throw new IllegalArgumentException(meter + " is recorded, not observed");
    }
  }

  /** Forgets what {@link #observe} registered, for example with a revoked partition. */
  public void forget(Meters meter, String... labels) {
    registry.find(meter.meter()).tags(Tags.of(labels)).meters().forEach(registry::remove);
  }

  private Counter counter(Meters meter, String... labels) {
    check(meter, labels);
    return Counter.builder(meter.meter())
        .description(meter.meaning())
        .baseUnit(meter.unit().isEmpty() ? null : meter.unit())
        .tags(labels)
        .register(registry);
  }

  private Timer timer(Meters meter, Duration[] buckets, String... labels) {
    check(meter, labels);
    return Timer.builder(meter.meter())
        .description(meter.meaning())
        .tags(labels)
        .serviceLevelObjectives(buckets)
        .publishPercentiles(PERCENTILES)
        .percentilePrecision(2)
        .register(registry);
  }

  private static void check(Meters meter, String... labels) {
    boolean same = labels.length == 2 * meter.labels().size();
    for (int i = 0; same && i < labels.length; i += 2) {
      same = labels[i].equals(meter.labels().get(i / 2));
    }
    if (!same) {
      throw new IllegalArgumentException(
          "%s has the labels %s, not %s"
              .formatted(meter, meter.labels(), String.join(",", labels)));
    }
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
