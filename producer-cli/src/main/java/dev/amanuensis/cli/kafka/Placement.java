package dev.amanuensis.cli.kafka;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * How audio travels: inside the record while it is small, else as a reference to where it is, or to
 * where it is uploaded.
 *
 * @param maxInlineBytes larger files are referred to
 * @param fileRoots directories that the workers can read under the same path
 * @param upload of files that are under none of them; null: there is none
 */
public record Placement(long maxInlineBytes, List<Path> fileRoots, Upload upload) {
  /** Below Kafka's default limit of 1 MiB for a record, with room for the job's other fields. */
  public static final long MAX_INLINE_BYTES = 1_000_000;

  /** Within the producer's own limit; the broker's and the topic's say what is really taken. */
  public static final long MOST_INLINE_BYTES = 64_000_000;

  public Placement {
    fileRoots = List.copyOf(fileRoots);
  }

  /** Where a fleet shares the file system with us. */
  public static Placement local(List<Path> fileRoots) {
    return new Placement(MAX_INLINE_BYTES, fileRoots, null);
  }

  /** Storage that the workers can read. */
  public interface Upload extends AutoCloseable {
    /**
     * Returns the reference once the file is there.
     *
     * @param id of the job
     * @param contentType or null
     * @throws IOException if the file can't be read, or the storage does not take it
     */
    String upload(String id, Path file, String contentType) throws IOException;

    @Override
    void close();
  }

  boolean inline(long bytes) {
    return bytes <= maxInlineBytes;
  }

  /** Whether the workers can read the file where it is. */
  boolean shared(Path realFile) throws IOException {
    for (Path root : fileRoots) {
      if (realFile.startsWith(root.toRealPath())) {
        return true;
      }
    }
    return false;
  }

  /** Why a file can travel in no way. */
  String explain(long bytes) {
    return "%,d bytes are more than travel inside a record (--max-inline-bytes %d)"
        .formatted(bytes, maxInlineBytes);
  }
}
