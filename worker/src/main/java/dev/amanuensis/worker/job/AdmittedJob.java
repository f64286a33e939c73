package dev.amanuensis.worker.job;

/** A job that a sink holds. Safe for use by many threads. */
public interface AdmittedJob {
  /** Ends it with CANCELLED unless it has ended. */
  void cancel();

  /** Whether some thread works on it, or on what is left of it once it has ended. */
  boolean atWork();
}
