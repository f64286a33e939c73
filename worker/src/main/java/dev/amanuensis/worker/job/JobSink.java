package dev.amanuensis.worker.job;

import java.util.function.Consumer;

/** Takes jobs and answers each exactly once. Safe for use by many threads. */
public interface JobSink {
  /**
   * Admits a job unless the sink is full or closing. Never blocks.
   *
   * @param onDone called exactly once for an admitted job, on any thread; it must not block
   * @return false: not admitted, onDone will not be called
   */
  boolean tryAdmit(Job job, Consumer<JobResult> onDone);

  /** Ends a job that this sink holds with CANCELLED; unknown ids are ignored. */
  void cancel(String jobId);

  /** Jobs admitted and not yet answered. */
  int inFlight();
}
