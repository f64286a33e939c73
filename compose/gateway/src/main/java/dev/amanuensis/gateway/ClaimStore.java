package dev.amanuensis.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Instant;

/**
 * Audio that is too large for a record, where the workers can read it: one object per job.
 * Thread-safe.
 */
public interface ClaimStore extends AutoCloseable {
  /** Bytes that can be read more than once. */
  @FunctionalInterface
  interface Audio {
    InputStream open() throws IOException;
  }

  /** Returns when the object is complete, and how the workers are told of it. */
  URI put(String jobId, Audio audio, long bytes) throws IOException;

  /** Failures are logged: the time limit takes what is left. */
  void remove(String jobId);

  /** Removes what was written before a time: audio of gateways that are no more. */
  void sweep(Instant before);

  @Override
  void close();
}
