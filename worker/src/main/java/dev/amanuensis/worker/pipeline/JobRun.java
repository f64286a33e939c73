package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionResult;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.transcription.Transcription;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * One job on its way through the stages. Whoever ends it first (a stage, the deadline, a
 * cancellation) determines its result; its audio is released when it has ended and no stage works
 * on it any more. Thread-safe; the transcription belongs to the stage that holds the job.
 */
final class JobRun {
  final Job job;
  final long sequence;
  private final BiConsumer<JobRun, JobResult> onEnd;
  private final long admitted = System.nanoTime();
  private final Map<String, Double> timings = new TreeMap<>();
  private PreparedAudio audio;
  private String audioSha256;
  private boolean ended;
  private Thread worker;
  private Stage stage;
  private long stageSince;

  /** Largest log-mel value of the whole file. */
  float globalMax;

  Transcription transcription;

  JobRun(Job job, long sequence, BiConsumer<JobRun, JobResult> onEnd) {
    this.job = job;
    this.sequence = sequence;
    this.onEnd = onEnd;
  }

  /**
   * The calling thread works on this job from now on. False if the job has ended: leave it alone.
   */
  synchronized boolean enter(Stage next) {
    if (ended) {
      return false;
    }
    worker = Thread.currentThread();
    stage = next;
    stageSince = System.nanoTime();
    return true;
  }

  /** The calling thread is done with this job; {@code name} is the timing it adds to. */
  synchronized void leave(String name) {
    add(name, System.nanoTime() - stageSince);
    worker = null;
    stage = null;
    // An interrupt that was meant for this job must not hit the next one.
    Thread.interrupted();
    release();
  }

  synchronized void add(String name, long nanos) {
    timings.merge(name, nanos / 1e6, Double::sum);
  }

  synchronized void prepared(PreparedAudio prepared) {
    audio = prepared;
    audioSha256 = prepared.sha256();
    timings.putAll(prepared.timings());
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
    return stage == which ? now - stageSince : 0;
  }

  void complete(TranscriptionResult result) {
    end(JobResult.Status.COMPLETED, result, null, null);
  }

  void fail(Throwable cause) {
    if (cause instanceof JobException e) {
      end(JobResult.Status.FAILED, null, e.code(), e.getMessage());
    } else {
      end(JobResult.Status.FAILED, null, ErrorCode.INTERNAL, "a defect of the worker: " + cause);
    }
  }

  /** Ends the job unless it has ended already. */
  void end(JobResult.Status status, TranscriptionResult result, ErrorCode code, String message) {
    JobResult outcome;
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      if (worker != null && stage == Stage.PREPARE && worker != Thread.currentThread()) {
        worker.interrupt(); // a child process or a slow read
      }
      add("total", System.nanoTime() - admitted);
      outcome = new JobResult(job, status, result, audioSha256, code, message, Map.copyOf(timings));
      release();
    }
    onEnd.accept(this, outcome);
  }

  private void release() {
    if (ended && worker == null && audio != null) {
      audio.close();
      audio = null;
    }
  }
}
