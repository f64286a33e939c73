package dev.amanuensis.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Claims as files in a directory that the workers read too. */
public final class DirectoryClaims implements ClaimStore {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryClaims.class);
  private static final String ENDING = ".audio";

  private final Path directory;

  /**
   * @throws IOException if the directory is none and can't be made
   */
  public DirectoryClaims(Path directory) throws IOException {
    this.directory = directory.toAbsolutePath();
    Files.createDirectories(this.directory);
  }

  @Override
  public URI put(String jobId, Audio audio, long bytes) throws IOException {
    Path partial = Files.createTempFile(directory, "incoming-", ENDING);
    try (InputStream in = audio.open()) {
      Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
      // The workers may run as another user of the group.
      Files.setPosixFilePermissions(partial, PosixFilePermissions.fromString("rw-r-----"));
      // There may be one already: of a request that gave up and was sent again with its id.
      return Files.move(partial, file(jobId), StandardCopyOption.REPLACE_EXISTING)
          .toRealPath()
          .toUri();
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  @Override
  public void remove(String jobId) {
    try {
      Files.deleteIfExists(file(jobId));
    } catch (IOException e) {
      LOG.warn("{} can't be removed: {}", file(jobId), e.toString());
    }
  }

  @Override
  public void sweep(Instant before) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + ENDING)) {
      for (Path file : files) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
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

  @Override
  public void close() {}
}
