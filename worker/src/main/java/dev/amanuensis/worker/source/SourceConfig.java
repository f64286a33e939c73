package dev.amanuensis.worker.source;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What the prepare stage may read, and its bounds.
 *
 * @param allowedRoots directories that file references may point into; empty: none
 * @param spillDirectory of temporary files: audio that came inline, and PCM longer than a window
 * @param maxBytes of an audio file
 * @param maxDuration of the audio
 * @param decodeTimeout wall time for decoding one file
 */
public record SourceConfig(
    List<Path> allowedRoots,
    Path spillDirectory,
    long maxBytes,
    Duration maxDuration,
    Duration decodeTimeout) {
  public SourceConfig {
    allowedRoots = List.copyOf(allowedRoots);
  }

  /** No references, the system's temporary directory, 2 GiB, 6 h, 10 min. */
  public static SourceConfig defaults() {
    return new SourceConfig(
        List.of(),
        Path.of(System.getProperty("java.io.tmpdir")),
        2L << 30,
        Duration.ofHours(6),
        Duration.ofMinutes(10));
  }
}
