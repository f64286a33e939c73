package dev.amanuensis.worker.source;

import dev.amanuensis.worker.source.reference.ReferenceConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What the prepare stage may read, and its bounds.
 *
 * @param references what they may name
 * @param spillDirectory of temporary files: audio as it came, and PCM longer than a window
 * @param maxInlineBytes of audio inside a record
 * @param maxBytes of an audio file
 * @param maxDuration of the audio
 * @param decodeTimeout wall time for decoding one file
 */
public record SourceConfig(
    ReferenceConfig references,
    Path spillDirectory,
    long maxInlineBytes,
    long maxBytes,
    Duration maxDuration,
    Duration decodeTimeout) {
  /** With files below these directories as the only references. */
  public SourceConfig(
      List<Path> allowedRoots,
      Path spillDirectory,
      long maxBytes,
      Duration maxDuration,
      Duration decodeTimeout) {
    this(
        ReferenceConfig.files(allowedRoots),
        spillDirectory,
        maxBytes,
        maxBytes,
        maxDuration,
        decodeTimeout);
  }

  /** No references, the system's temporary directory, 2 GiB, 6 h, 10 min. */
  public static SourceConfig defaults() {
    return defaults(List.of());
  }

  /** The same, with files below these directories as the only references. */
  public static SourceConfig defaults(List<Path> allowedRoots) {
    return new SourceConfig(
        ReferenceConfig.files(allowedRoots),
        Path.of(System.getProperty("java.io.tmpdir")),
        2L << 30,
        2L << 30,
        Duration.ofHours(6),
        Duration.ofMinutes(10));
  }
}
