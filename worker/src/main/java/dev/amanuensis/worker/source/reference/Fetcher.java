package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.URI;

/** Brings the bytes of one kind of reference. Thread-safe. */
interface Fetcher extends AutoCloseable {
  /**
   * Makes one attempt.
   *
   * @throws JobException if the source does not give them; its code says whether that may pass
   * @throws IOException if they can't be written here
   * @throws InterruptedException if the job was cancelled
   */
  void fetch(URI uri, AudioCopy into) throws JobException, IOException, InterruptedException;

  @Override
  default void close() {}
}
