package dev.amanuensis.worker.intake;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/**
 * Does a job in a process that may be lost without a loss: the last attempt of one that has taken
 * several workers with it. Nothing of it is published.
 */
public interface Trials extends AutoCloseable {
  /** Finds nothing out: the last attempt is made like those before it. */
  Trials NONE =
      new Trials() {
        @Override
        public Future<Boolean> start(byte[] record) {
          return CompletableFuture.completedFuture(true);
        }

        @Override
        public void close() {}
      };

  /**
   * Returns at once.
   *
   * @param record value of the job's record
   * @return false if the process was lost; true if it survived, or nothing can be said
   */
  Future<Boolean> start(byte[] record);

  /** Ends what runs. */
  @Override
  void close();
}
