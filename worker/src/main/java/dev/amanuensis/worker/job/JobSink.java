package dev.amanuensis.worker.job;

/** Takes jobs and answers each exactly once. Safe for use by many threads. */
public interface JobSink {
  /**
   * Admits a job unless the sink is full or closing. Never blocks.
   *
   * @param from where a predecessor left this job, or null to start at its beginning. A sink that
   *     can't use it (other audio, for example) starts at the beginning.
   * @return null: not admitted, the listener will not be called
   */
  AdmittedJob tryAdmit(Job job, Progress from, JobListener listener);

  /** Jobs admitted and not yet answered. */
  int inFlight();
}
