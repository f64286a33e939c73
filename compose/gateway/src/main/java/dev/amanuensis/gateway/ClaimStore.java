package dev.amanuensis.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Audio that is too large for a record: a file per job in a directory that the workers read too.
 * Thread-safe.
 */
final class ClaimStore {
  private static final Logger LOG = LoggerFactory.getLogger(ClaimStore.class);
  private static final String ENDING = ".audio";

  private final Path directory;
  private final Duration ttl;

  ClaimStore(Path directory, Duration ttl) throws IOException {
    this.directory = directory.toAbsolutePath();
    this.ttl = ttl;
    Files.createDirectories(this.directory);
  }

  /** Returns when the file is complete. */
  URI put(String jobId, InputStream audio) throws IOException {
    Path partial = Files.createTempFile(directory, "incoming-", ENDING);
    try {
      Files.copy(audio, partial, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      // The workers may run as another user of the group.
      Files.setPosixFilePermissions(partial, PosixFilePermissions.fromString("rw-r-----"));
      return Files.move(partial, file(jobId)).toRealPath().toUri();
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  void remove(String jobId) {
    try {
      Files.deleteIfExists(file(jobId));
    } catch (IOException e) {
      LOG.warn("{} can't be removed: {}", file(jobId), e.toString());
    }
  }

  /** Removes what is older than the time limit: jobs of gateways that are no more. */
  void sweep() {
    Instant limit = Instant.now().minus(ttl);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + ENDING)) {
      for (Path file : files) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      LOG.warn("{} can't be swept: {}", directory, e.toString());
    }
  }

  private Path file(String jobId) {
    return directory.resolve(jobId + ENDING);
  }
}
