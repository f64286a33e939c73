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
  private final ChunkedRun chunkOf;
  private final long admitted = System.nanoTime();
  private final Map<String, Double> timings = new TreeMap<>();
  private PreparedAudio audio;
  private double audioSeconds;
  private String audioSha256;

  /** What a completed job's reader should know about its audio, or null. */
  private String damage;

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

  /** Puts a window of this job before the encode stage, without a place. */
  Consumer<WindowTask> toEncode;

  private ChunkedRun chunks;

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
    this.chunkOf = null;
  }

  /** One chunk of a job, which walks through the stages by itself. */
  JobRun(JobRun whole, ChunkedRun chunkOf, Transcription chunk, JobListener listener) {
    this.job = whole.job;
    this.from = null;
    this.listener = listener;
    this.sequence = whole.sequence;
    this.onEnd = run -> {};
    this.meter = whole.meter;
    this.chunkOf = chunkOf;
    this.globalMax = whole.globalMax;
    this.audio = whole.audio;
    this.audioSeconds = whole.audioSeconds;
    this.audioSha256 = whole.audioSha256;
    this.transcription = chunk;
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
    if (chunkOf != null && !chunkOf.enter(this)) {
      return false;
    }
    synchronized (this) {
      if (ended) {
        if (chunkOf != null) {
          chunkOf.leave();
        }
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
    if (chunkOf != null) {
      chunkOf.leave();
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
    damage = prepared.damage();
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

  boolean hasEnded() {
    synchronized (this) {
      if (ended) {
        return true;
      }
    }
    return chunkOf != null && chunkOf.hasEnded();
  }

  /** It is done in chunks from now on. */
  synchronized void inChunks(ChunkedRun chunked) {
    chunks = chunked;
  }

  /** What a chunk took is part of what the job took. */
  synchronized void addAll(Map<String, Double> more) {
    more.forEach(
        (name, value) ->
            timings.merge(
                name, value, name.equals("copies_per_window") ? Double::max : Double::sum));
  }

  /** A stage has let go of one of the chunks. */
  synchronized void chunkLeft() {
    release();
  }

  /** Nanoseconds that the current stage has worked on it; 0 if none does. */
  long inStage(Stage which, long now) {
    ChunkedRun chunked;
    synchronized (this) {
      if (chunks == null) {
        return stage == which && worker != null ? now - stageSince : 0;
      }
      chunked = chunks;
    }
    return chunked.inStage(which, now);
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
    end(JobResult.Status.COMPLETED, result, null, damage);
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
      if (chunkOf == null) {
        add("total", System.nanoTime() - admitted);
      }
      outcome =
          new JobResult(
              job, status, result, audioSha256, code, message, Map.copyOf(timings), stack);
      release();
    }
    if (chunkOf == null) {
      meter.ended(outcome);
    }
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
    if (chunkOf != null) {
      return; // chunks become final out of order
    }
    Progress progress = transcription.progress(audioSha256);
    if (!hasEnded()) {
      listener.progressed(progress);
    }
  }

  @Override
  public void cancel() {
    end(JobResult.Status.CANCELLED, null, ErrorCode.CANCELLED, "cancelled");
  }

  @Override
  public synchronized boolean atWork() {
    return worker != null || (chunks != null && !chunks.idle());
  }

  private void release() {
    if (ended && worker == null && audio != null && (chunks == null || chunks.idle())) {
      if (chunkOf == null) {
        audio.close();
      }
      audio = null;
    }
  }
}
