package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.transcription.ChunkedTranscription;
import dev.amanuensis.worker.transcription.ChunkedTranscription.Part;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A job whose chunks walk through the stages side by side, each as a {@link JobRun} of its own. The
 * next chunk joins the queue when a stage takes the one before, so that the job has one waiting
 * window at a time as every other job has, and nobody waits behind all of its chunks. The whole has
 * the audio and the result. Thread-safe.
 */
final class ChunkedRun {
  private final JobRun whole;
  private final ChunkedTranscription transcription;
  private final Set<JobRun> running = ConcurrentHashMap.newKeySet();
  private final AtomicInteger held = new AtomicInteger();

  /** The newest chunk, as long as no stage has taken it. */
  private JobRun newest;

  private ChunkedRun(JobRun whole, ChunkedTranscription transcription) {
    this.whole = whole;
    this.transcription = transcription;
  }

  /**
   * @return the first chunk's first window, or null after completing the job
   */
  static WindowTask begin(JobRun whole, ChunkedTranscription transcription) throws JobException {
    ChunkedRun chunked = new ChunkedRun(whole, transcription);
    if (transcription.isComplete()) { // no speech at all
      whole.complete(transcription.result());
      return null;
    }
    whole.inChunks(chunked);
    return chunked.next();
  }

  private WindowTask next() throws JobException {
    Optional<Part> part = transcription.take();
    if (part.isEmpty()) {
      return null;
    }
    int index = part.get().index();
    JobRun run = new JobRun(whole, this, part.get().transcription(), result -> done(index, result));
    running.add(run);
    synchronized (this) {
      newest = run;
    }
    return Windows.next(run);
  }

  /** A stage takes a chunk; false if the whole has ended. */
  boolean enter(JobRun chunk) {
    held.incrementAndGet();
    if (whole.hasEnded()) {
      leave();
      return false;
    }
    boolean last;
    synchronized (this) {
      last = newest == chunk;
      if (last) {
        newest = null;
      }
    }
    if (last) {
      follow();
    }
    return true;
  }

  private void follow() {
    try {
      WindowTask task = next();
      if (task != null) {
        whole.toEncode.accept(task);
      }
    } catch (JobException e) {
      whole.fail(e);
    }
  }

  /** A stage lets go of a chunk. */
  void leave() {
    held.decrementAndGet();
    whole.chunkLeft();
  }

  /** Whether no stage holds a chunk: the audio may go. */
  boolean idle() {
    return held.get() == 0;
  }

  boolean hasEnded() {
    return whole.hasEnded();
  }

  /** The longest time that a stage has worked on one of the chunks. */
  long inStage(Stage stage, long now) {
    long most = 0;
    for (JobRun run : running) {
      most = Math.max(most, run.inStage(stage, now));
    }
    return most;
  }

  private void done(int index, JobResult result) {
    running.removeIf(JobRun::hasEnded);
    whole.addAll(result.timings());
    if (result.transcription() == null) {
      whole.end(result.status(), null, result.errorCode(), result.errorMessage());
      return;
    }
    try {
      if (transcription.complete(index, result.transcription())) {
        whole.complete(transcription.result());
      }
    } catch (JobException e) {
      whole.fail(e);
    }
  }
}
