package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.metrics.Meters;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
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

  private final PipelineConfig config;
  private final Set<JobRun> runs = ConcurrentHashMap.newKeySet();
  private final AtomicLong sequence = new AtomicLong();
  private final StageQueue<JobRun> prepareQueue = new StageQueue<>(r -> r);
  private final StageQueue<WindowTask> encodeQueue = new StageQueue<>(t -> t.run);
  private final StageQueue<WindowTask> decodeQueue = new StageQueue<>(t -> t.run);
  private final List<NativeBuffer> crossKv = new ArrayList<>();
  private final List<StageThreads> threads = new ArrayList<>();
  private boolean closing;

  /** Takes neither the engine nor the preparer over: their owner closes them after the pipeline. */
  public Pipeline(
      PipelineConfig config, Engine engine, Tokenizer tokenizer, AudioPreparer preparer) {
    this(config, engine, tokenizer, preparer, WorkerMetrics.none());
  }

  /** As above, and reports what happens. */
  public Pipeline(
      PipelineConfig config,
      Engine engine,
      Tokenizer tokenizer,
      AudioPreparer preparer,
      WorkerMetrics metrics) {
    this.config = config;
    metrics.observe(Meters.JOBS_IN_FLIGHT, runs::size);
    metrics.observe(Meters.JOBS_MAX, config::maxJobs);
    metrics.observe(Meters.QUEUE_DEPTH, prepareQueue::size, "stage", "prepare");
    metrics.observe(Meters.QUEUE_DEPTH, encodeQueue::size, "stage", "encode");
    metrics.observe(Meters.QUEUE_DEPTH, decodeQueue::size, "stage", "decode");
    BlockingQueue<NativeBuffer> free = new LinkedBlockingQueue<>();
    for (int i = 0; i < config.windowsReady(); i++) {
      crossKv.add(NativeBuffer.allocate(engine.info().crossKvBytes()));
    }
    free.addAll(crossKv);
    PrepareStage prepare = new PrepareStage(prepareQueue, encodeQueue, preparer, engine, tokenizer);
    EncodeStage encode = new EncodeStage(encodeQueue, decodeQueue, free, engine);
    DecodeStage decode =
        new DecodeStage(decodeQueue, encodeQueue, free, engine, tokenizer, config.maxSequences());
    threads.add(new StageThreads("prepare", config.prepareThreads(), prepare::loop));
    threads.add(new StageThreads("encode", config.encodeLanes(), encode::loop));
    threads.add(new StageThreads("decode", 1, decode::loop));
    threads.add(new StageThreads("watch", 1, this::watch));
  }

  @Override
  public AdmittedJob tryAdmit(Job job, Progress from, JobListener listener) {
    JobRun run = new JobRun(job, from, listener, sequence.getAndIncrement(), this::ended);
    synchronized (this) {
      if (closing || runs.size() >= config.maxJobs()) {
        return null;
      }
      runs.add(run);
    }
    prepareQueue.put(run);
    return run;
  }

  private void ended(JobRun run) {
    runs.remove(run);
  }

  @Override
  public int inFlight() {
    return runs.size();
  }

  /** Ends what is late. */
  private void watch() throws InterruptedException {
    while (true) {
      Thread.sleep(WATCH_MILLIS);
      Instant now = Instant.now();
      long nanos = System.nanoTime();
      for (JobRun run : runs) {
        if (run.job.deadline() != null && now.isAfter(run.job.deadline())) {
          run.end(
              JobResult.Status.EXPIRED,
              null,
              ErrorCode.DEADLINE_EXCEEDED,
              "the deadline %s passed".formatted(run.job.deadline()));
        }
        for (Stage stage : Stage.values()) {
          if (run.inStage(stage, nanos) > config.stageTimeout().toNanos()) {
            run.end(
                JobResult.Status.FAILED,
                null,
                ErrorCode.STAGE_TIMEOUT,
                "stage %s took longer than %s".formatted(stage, config.stageTimeout()));
          }
        }
      }
    }
  }

  /** Stops the stages. Jobs still in flight are dropped without a result: their records remain. */
  @Override
  public void close() {
    Collection<JobRun> left;
    synchronized (this) {
      closing = true;
      left = List.copyOf(runs);
      runs.clear();
    }
    if (!left.isEmpty()) {
      LOG.info("dropping {} jobs in flight; they will be delivered again", left.size());
    }
    threads.forEach(StageThreads::close);
    crossKv.forEach(NativeBuffer::close);
  }
}
