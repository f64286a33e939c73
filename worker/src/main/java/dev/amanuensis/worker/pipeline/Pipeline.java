package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.pipeline.StageQueue.Waiting;
import dev.amanuensis.worker.source.AudioPreparer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * prepare, encode, decode: the stages that turn admitted jobs into results, with their threads and
 * queues. A job whose deadline passes, that is cancelled, or whose stage takes too long ends at
 * once; the stage drops it when it notices. Thread-safe.
 */
public final class Pipeline implements JobSink, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);
  private static final long WATCH_MILLIS = 100;

  /** Below it are the bulk lane's jobs, above it the interactive lane's. */
  private static final int USUAL_PRIORITY = 0;

  /** Prepare threads beside the configured ones. */
  private static final int PREPARE_APART = 2;

  private final PipelineConfig config;
  private final Device device;
  private final BufferManager buffers;
  private final PipelineMeter meter;
  private final long started = System.nanoTime();
  private final Set<JobRun> runs = ConcurrentHashMap.newKeySet();
  private final AtomicLong sequence = new AtomicLong();
  private final StageQueue<JobRun> prepareQueue;
  private final StageQueue<WindowTask> encodeQueue;
  private final StageQueue<WindowTask> decodeQueue;
  private final List<StageThreads> threads = new ArrayList<>();
  private volatile boolean closing;

  /** Takes nothing over: the owners close what is given, after the pipeline. */
  public Pipeline(
      PipelineConfig config,
      SpeechModel model,
      Device device,
      AudioPreparer preparer,
      BufferManager buffers,
      PipelineListener listener) {
    this(config, model, device, preparer, buffers, listener, Faults.NONE);
  }

  Pipeline(
      PipelineConfig config,
      SpeechModel model,
      Device device,
      AudioPreparer preparer,
      BufferManager buffers,
      PipelineListener listener,
      Faults faults) {
    this.config = config;
    this.device = device;
    this.buffers = buffers;
    this.meter = new PipelineMeter(listener);
    Duration ageing = config.ageing();
    prepareQueue =
        new StageQueue<>(Stage.PREPARE, config.prepareQueue(), ageing, run -> run, meter);
    encodeQueue =
        new StageQueue<>(Stage.ENCODE, config.encodeQueue(), ageing, task -> task.run, meter);
    decodeQueue =
        new StageQueue<>(Stage.DECODE, config.decodeQueue(), ageing, task -> task.run, meter);
    PrepareStage prepare =
        new PrepareStage(prepareQueue, encodeQueue, buffers, preparer, model, faults);
    EncodeStage encode = new EncodeStage(encodeQueue, decodeQueue, buffers, model, device, faults);
    DecodeStage decode =
        new DecodeStage(
            decodeQueue,
            encodeQueue,
            model,
            config.maxSequences(),
            meter,
            faults,
            gathering(config, device),
            () -> closing);
    if (config.mode() == PipelineConfig.Mode.SEQUENTIAL) {
      start("sequential", Stage.PREPARE, 1, () -> sequential(prepare, encode, decode));
    } else {
      start("prepare", Stage.PREPARE, config.prepareThreads(), prepare::loop);
      start("prepare-usual", Stage.PREPARE, 1, () -> prepare.loop(USUAL_PRIORITY));
      start("prepare-urgent", Stage.PREPARE, 1, () -> prepare.loop(USUAL_PRIORITY + 1));
      start("encode", Stage.ENCODE, config.encodeLanes(), encode::loop);
      start("decode", Stage.DECODE, config.decodeLanes(), decode::loop);
    }
    threads.add(new StageThreads("watch", 1, this::watch, e -> {}));
  }

  private Gathering gathering(PipelineConfig config, Device device) {
    boolean shared = config.mode() == PipelineConfig.Mode.STAGED && device.onCores();
    return new Gathering(
        () -> meter.inFlight(Stage.ENCODE) + encodeQueue.size(),
        shared ? Runtime.getRuntime().availableProcessors() : Integer.MAX_VALUE);
  }

  private void start(String name, Stage stage, int count, StageThreads.Body body) {
    threads.add(new StageThreads(name, count, body, e -> meter.restarted(stage, e)));
  }

  /** The stages in turn: one job at a time. */
  private void sequential(PrepareStage prepare, EncodeStage encode, DecodeStage decode)
      throws InterruptedException {
    try (EncodeStage.Lane encoder = encode.newLane();
        DecodeStage.Lane decoder = decode.newLane()) {
      while (true) {
        while (encodeQueue.size() > 0 || decodeQueue.size() > 0 || decoder.live() > 0) {
          if (encodeQueue.size() > 0) {
            encoder.turn();
          }
          decoder.turn(0);
        }
        prepare.turn();
      }
    }
  }

  @Override
  public AdmittedJob tryAdmit(Job job, Progress from, JobListener listener) {
    JobRun run = new JobRun(job, from, listener, sequence.getAndIncrement(), runs::remove, meter);
    run.toEncode = encodeQueue::putBack;
    synchronized (this) {
      if (closing || runs.size() >= config.maxJobs() || !prepareQueue.tryReserve()) {
        meter.refused(job);
        return null;
      }
      runs.add(run);
    }
    meter.admitted(job);
    prepareQueue.put(run);
    return run;
  }

  /** Ends all jobs of that id that are held here with CANCELLED; their number. */
  public int cancel(String jobId) {
    int n = 0;
    for (JobRun run : runs) {
      if (run.job.id().equals(jobId)) {
        run.cancel();
        n++;
      }
    }
    return n;
  }

  @Override
  public int inFlight() {
    return runs.size();
  }

  /** All of it at one moment. Takes some microseconds. */
  public PipelineSnapshot snapshot() {
    boolean staged = config.mode() == PipelineConfig.Mode.STAGED;
    int preparing = config.prepareThreads() + PREPARE_APART;
    return new PipelineSnapshot(
        config.mode().name().toLowerCase(Locale.ROOT),
        Duration.ofNanos(System.nanoTime() - started),
        config.maxJobs(),
        runs.size(),
        meter.admitted(),
        meter.refused(),
        meter.ended(),
        meter.windows(),
        meter.audio(),
        List.of(
            stage(Stage.PREPARE, staged ? preparing : 1, prepareQueue),
            stage(Stage.ENCODE, staged ? config.encodeLanes() : 1, encodeQueue),
            stage(Stage.DECODE, staged ? config.decodeLanes() : 1, decodeQueue)),
        meter.decoder(config.maxSequences()),
        device.statistics(),
        buffers.statistics(),
        runs.stream().map(JobRun::held).toList());
  }

  private PipelineSnapshot.StageSnapshot stage(Stage stage, int count, StageQueue<?> queue) {
    return meter.snapshot(stage, count, queue.size(), queue.capacity());
  }

  /** Ends what is late, and looks after the buffers. */
  private void watch() throws InterruptedException {
    while (true) {
      Thread.sleep(WATCH_MILLIS);
      buffers.tend();
      Instant now = Instant.now();
      long nanos = System.nanoTime();
      for (JobRun run : runs) {
        if (now.isAfter(run.deadline())) {
          run.end(
              JobResult.Status.EXPIRED,
              null,
              ErrorCode.DEADLINE_EXCEEDED,
              "the deadline %s passed".formatted(run.job.deadline()));
        }
        config.timeouts().forEach((stage, most) -> endIfSlow(run, stage, most, nanos));
      }
    }
  }

  private void endIfSlow(JobRun run, Stage stage, Duration most, long now) {
    if (run.inStage(stage, now) > most.toNanos()
        && run.end(
            JobResult.Status.FAILED,
            null,
            ErrorCode.STAGE_TIMEOUT,
            "stage %s took longer than %s".formatted(stage.label(), most))) {
      meter.timedOut(stage, run.job);
    }
  }

  /** Stops the stages. Jobs still in flight are dropped without a result: their records remain. */
  @Override
  public void close() {
    List<JobRun> left;
    synchronized (this) {
      closing = true;
      left = List.copyOf(runs);
      runs.clear();
    }
    if (!left.isEmpty()) {
      LOG.info("dropping {} jobs in flight; they will be delivered again", left.size());
    }
    left.forEach(JobRun::drop);
    threads.forEach(StageThreads::close);
    for (Waiting<WindowTask> w = decodeQueue.poll(); w != null; w = decodeQueue.poll()) {
      w.item().crossKv.close();
    }
  }
}
