package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.BufferStatistics;
import dev.amanuensis.worker.device.DeviceStatistics;
import dev.amanuensis.worker.job.JobResult;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The pipeline at one moment. Numbers since the start unless they say now.
 *
 * @param mode staged or sequential
 * @param uptime of the pipeline
 * @param maxJobs that are taken at once
 * @param inFlight jobs admitted and not yet answered, now
 * @param admitted jobs taken
 * @param refused admissions that found the pipeline full: they come again
 * @param ended jobs answered, by status
 * @param windows that were decoded
 * @param audio that was transcribed: of jobs that completed
 * @param stages in the order in which a job walks through them
 * @param decoder how full its batch is
 * @param device that runs the encoder
 * @param buffers of all pools
 * @param jobs that are held now
 */
public record PipelineSnapshot(
    String mode,
    Duration uptime,
    int maxJobs,
    int inFlight,
    long admitted,
    long refused,
    Map<JobResult.Status, Long> ended,
    long windows,
    Duration audio,
    List<StageSnapshot> stages,
    DecoderSnapshot decoder,
    DeviceStatistics device,
    BufferStatistics buffers,
    List<HeldJob> jobs) {

  /** One stage. */
  public StageSnapshot stage(Stage stage) {
    return stages.get(stage.ordinal());
  }

  /**
   * One stage with the queue before it.
   *
   * @param threads it has
   * @param queued waiting for it, now
   * @param queueCapacity of its queue
   * @param inFlight being worked on, now
   * @param count pieces of work finished: jobs for prepare, windows for encode and decode
   * @param failures of them
   * @param busy time of all threads together, finished work only
   * @param waited time in the queue of all work that was started
   * @param overflows attempts to put something into the full queue: they waited, nothing was lost
   * @param timeouts work that took longer than the stage's limit
   * @param restarts threads that died and were started again
   */
  public record StageSnapshot(
      Stage stage,
      int threads,
      int queued,
      int queueCapacity,
      int inFlight,
      long count,
      long failures,
      Duration busy,
      Duration waited,
      long overflows,
      long timeouts,
      long restarts) {}

  /**
   * The decoder's batch.
   *
   * @param maxSequences it takes
   * @param windows in it now
   * @param steps made
   * @param rows of all steps: sequences that got a token
   */
  public record DecoderSnapshot(int maxSequences, int windows, long steps, long rows) {
    /** Mean share of the batch that was used; 0 before the first step. */
    public double occupancy() {
      return steps == 0 ? 0 : (double) rows / steps / maxSequences;
    }
  }

  /**
   * A job that is held.
   *
   * @param id of the job
   * @param priority of the job
   * @param held since its admission
   * @param stage that works on it now, or the one it waits for
   * @param working whether a stage works on it now
   * @param inStage time that the stage has worked on it; zero while it waits
   * @param seekSeconds how far its transcription is
   * @param audioSeconds length of its audio; 0 before it is decoded
   * @param windows decoded so far
   */
  public record HeldJob(
      String id,
      int priority,
      Duration held,
      Stage stage,
      boolean working,
      Duration inStage,
      double seekSeconds,
      double audioSeconds,
      int windows) {}
}
