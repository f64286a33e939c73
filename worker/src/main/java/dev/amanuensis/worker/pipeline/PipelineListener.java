package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;

/**
 * Learns what happens to jobs, on the thread on which it happens: it must be quick and thread-safe.
 * What it throws is logged and harms nobody.
 */
public interface PipelineListener {
  /** Hears nothing. */
  PipelineListener NONE = new PipelineListener() {};

  /** The job was taken. */
  default void admitted(Job job) {}

  /** The pipeline was full; the job comes again. */
  default void refused(Job job) {}

  /** A stage begins to work on the job, or on a window of it, after so long in its queue. */
  default void entered(Stage stage, Job job, long waitedNanos) {}

  /** A stage is done with it. */
  default void left(Stage stage, Job job, long tookNanos, boolean failed) {}

  /** One step of the decoder. */
  default void stepped(int rows, long tookNanos) {}

  /** A window whose padding was approximated gave a doubtful result: it is encoded in full. */
  default void encodedAgain(Job job) {}

  /**
   * A window is decoded; more than one attempt means that it was repeated at other temperatures.
   */
  default void windowDone(Job job, int attempts) {}

  /** The words of a window got their times; part of the decode stage. */
  default void aligned(Job job, long tookNanos) {}

  /** The job took longer in the stage than it may. */
  default void timedOut(Stage stage, Job job) {}

  /** A queue was full: the stage before it waits. */
  default void overflowed(Stage stage) {}

  /** A thread of the stage died and was started again. */
  default void restarted(Stage stage, Throwable cause) {}

  /** The job has its result. */
  default void ended(JobResult result) {}
}
