package dev.amanuensis.worker.job;

/** Is told how an admitted job goes, on any thread. Must not block. */
@FunctionalInterface
public interface JobListener {
  /** The end, exactly once. */
  void done(JobResult result);

  /**
   * A window is done and others follow. Not after {@link #done} has returned.
   *
   * @param progress what is final, and what is needed to go on
   */
  default void progressed(Progress progress) {}
}
