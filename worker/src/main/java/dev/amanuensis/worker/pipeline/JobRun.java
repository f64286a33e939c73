package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.Copies;
import dev.amanuensis.worker.buffers.PoolExhaustedException;
import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.job.TranscriptionResult;
import dev.amanuensis.worker.metrics.JobLog;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.transcription.Geometry;
import dev.amanuensis.worker.transcription.Transcription;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * One job on its way through the stages. Whoever ends it first (a stage, the deadline, a
 * cancellation) determines its result; its audio is released when it has ended and no stage works
 * on it any more. Thread-safe; the transcription belongs to the stage that holds the job.
 */
final class JobRun implements AdmittedJob {
  private static final int STACK_FRAMES = 8;
  private static final int MAX_STACK_CHARS = 4_000;

  final Job job;
  final long sequence;
  final Progress from;
  private final JobListener listener;
  private final Consumer<JobRun> onEnd;
  private final PipelineMeter meter;
  private final long admitted = System.nanoTime();
  private final Map<String, Double> timings = new TreeMap<>();
  private PreparedAudio audio;
  private double audioSeconds;
  private String audioSha256;
  private boolean ended;
  private boolean failed;
  private Thread worker;
  private Stage stage = Stage.PREPARE;
  private long stageSince;
  private String stack;
  private int encoded;

  /** Of the thread that works on the job. */
  private JobLog.Scope scope;

  private int windows;
  private double copies;
  private double seekSeconds;

  /** Largest log-mel value of the whole file. */
  float globalMax;

  Transcription transcription;

  /**
   * @param from where a predecessor was, or null
   * @param onEnd told before the listener hears of the end
   */
  JobRun(
      Job job,
      Progress from,
      JobListener listener,
      long sequence,
      Consumer<JobRun> onEnd,
      PipelineMeter meter) {
    this.job = job;
    this.from = from;
    this.listener = listener;
    this.sequence = sequence;
    this.onEnd = onEnd;
    this.meter = meter;
  }

  /** {@link Instant#MAX} if it has none. */
  Instant deadline() {
    return job.deadline() == null ? Instant.MAX : job.deadline();
  }

  /** It lies in the queue before the stage. */
  synchronized void waitsFor(Stage next) {
    if (worker == null) {
      stage = next;
    }
  }

  /**
   * The calling thread works on this job from now on. False if the job has ended: leave it alone.
   *
   * @param waitedNanos in the queue before the stage
   */
  boolean enter(Stage next, long waitedNanos) {
    synchronized (this) {
      if (ended) {
        return false;
      }
      worker = Thread.currentThread();
      stage = next;
      stageSince = System.nanoTime();
      add("queued", waitedNanos);
    }
    if (next != Stage.DECODE) { // one thread for many jobs: it says for each call whose it is
      scope = JobLog.scope(job);
    }
    meter.entered(next, job, waitedNanos);
    return true;
  }

  /** The calling thread is done with this job; {@code name} is the timing it adds to. */
  void leave(String name) {
    Stage left;
    long took;
    boolean bad;
    synchronized (this) {
      took = System.nanoTime() - stageSince;
      add(name, took);
      left = stage;
      bad = failed;
      worker = null;
      // An interrupt that was meant for this job must not hit the next one.
      if (ended) {
        Thread.interrupted();
      }
      if (transcription != null) {
        seekSeconds = transcription.seek() * (1.0 / Geometry.FRAMES_PER_SECOND);
      }
      release();
    }
    meter.left(left, job, took, bad);
    if (left != Stage.DECODE && scope != null) {
      scope.close();
      scope = null;
    }
  }

  synchronized void add(String name, long nanos) {
    timings.merge(name, nanos / 1e6, Double::sum);
  }

  synchronized void prepared(PreparedAudio prepared) {
    audio = prepared;
    audioSha256 = prepared.sha256();
    audioSeconds = (double) prepared.samples() / Geometry.SAMPLE_RATE;
    timings.putAll(prepared.timings());
  }

  /** A window was encoded with so many copies of audio-sized data beside the PCM's own. */
  synchronized void copied(Copies made) {
    encoded++;
    copies += made.count();
    timings.merge("copied_bytes", (double) made.bytes(), Double::sum);
    // Each window's PCM was put into its buffer once, before.
    timings.put("copies_per_window", audio.copies() + copies / encoded);
  }

  synchronized void windowDone() {
    windows++;
  }

  /** Valid between {@link #enter} and {@link #leave} once the job is prepared. */
  synchronized PreparedAudio audio() {
    return audio;
  }

  synchronized boolean hasEnded() {
    return ended;
  }

  /** Nanoseconds that the current stage has worked on it; 0 if none does. */
  synchronized long inStage(Stage which, long now) {
    return stage == which && worker != null ? now - stageSince : 0;
  }

  synchronized PipelineSnapshot.HeldJob held() {
    long now = System.nanoTime();
    return new PipelineSnapshot.HeldJob(
        job.id(),
        job.priority(),
        Duration.ofNanos(now - admitted),
        stage,
        worker != null,
        worker == null ? Duration.ZERO : Duration.ofNanos(now - stageSince),
        seekSeconds,
        audioSeconds,
        windows);
  }

  void complete(TranscriptionResult result) {
    end(JobResult.Status.COMPLETED, result, null, null);
  }

  void fail(Throwable cause) {
    if (cause instanceof JobException e) {
      end(JobResult.Status.FAILED, null, e.code(), e.getMessage());
    } else if (cause instanceof PoolExhaustedException e) {
      end(JobResult.Status.FAILED, null, ErrorCode.BUFFERS_EXHAUSTED, e.getMessage());
    } else {
      synchronized (this) {
        stack = stack == null ? summary(cause) : stack;
      }
      end(JobResult.Status.FAILED, null, ErrorCode.INTERNAL, "a defect of the worker: " + cause);
    }
  }

  /** What was thrown and the innermost frames, for the dead letter. */
  private static String summary(Throwable cause) {
    StringBuilder text = new StringBuilder();
    for (Throwable t = cause; t != null && text.length() < MAX_STACK_CHARS; t = t.getCause()) {
      text.append(t).append('\n');
      for (int i = 0; i < Math.min(STACK_FRAMES, t.getStackTrace().length); i++) {
        text.append("  at ").append(t.getStackTrace()[i]).append('\n');
      }
    }
    return text.substring(0, Math.min(text.length(), MAX_STACK_CHARS));
  }

  /** Ends the job unless it has ended already; true if this did. */
  boolean end(JobResult.Status status, TranscriptionResult result, ErrorCode code, String message) {
    JobResult outcome;
    synchronized (this) {
      if (ended) {
        return false;
      }
      ended = true;
      failed = status == JobResult.Status.FAILED;
      if (worker != null && worker != Thread.currentThread() && stage == Stage.PREPARE) {
        worker.interrupt(); // a child process or a slow read
      }
      add("total", System.nanoTime() - admitted);
      outcome =
          new JobResult(
              job, status, result, audioSha256, code, message, Map.copyOf(timings), stack);
      release();
    }
    meter.ended(outcome);
    onEnd.accept(this);
    listener.done(outcome);
    return true;
  }

  /** Lets it go without a result: its record will be delivered again. */
  synchronized void drop() {
    ended = true;
    release();
  }

  /** Tells the listener how far the transcription is; between two windows. */
  void progressed() {
    Progress progress = transcription.progress(audioSha256);
    if (!hasEnded()) {
      listener.progressed(progress);
    }
  }

  @Override
  public void cancel() {
    end(JobResult.Status.CANCELLED, null, ErrorCode.CANCELLED, "cancelled");
  }

  private void release() {
    if (ended && worker == null && audio != null) {
      audio.close();
      audio = null;
    }
  }
}
