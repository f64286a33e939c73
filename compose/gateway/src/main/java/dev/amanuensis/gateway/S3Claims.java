package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.S3Storage;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Claims as objects in S3-compatible storage, below a prefix that nobody else writes to. */
public final class S3Claims implements ClaimStore {
  private static final Logger LOG = LoggerFactory.getLogger(S3Claims.class);

  private final S3Storage storage;

  /** Takes the storage over. */
  public S3Claims(S3Storage storage) {
    this.storage = storage;
  }

  @Override
  public URI put(String jobId, Audio audio, long bytes) throws IOException {
    return storage.put(jobId, null, bytes, audio::open);
  }

  @Override
  public void remove(String jobId) {
    try {
      storage.delete(jobId);
    } catch (IOException e) {
      LOG.warn("audio can't be removed: {}", e.getMessage());
    }
  }

  @Override
  public void sweep(Instant before) {
    try {
      storage.deleteBefore(before);
    } catch (IOException e) {
      LOG.warn("audio can't be swept: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    storage.close();
  }
}
