package dev.amanuensis.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.stream.Stream;

/** Directory trees of temporary files. */
final class FileTrees {
  private FileTrees() {}

  /** Deletes what can be deleted. */
  static void deleteQuietly(Path root) {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      // Left-overs cost space until the next fetch clears them; they are never taken for a model.
    }
  }

  /** Renames atomically over what is there. */
  static void replace(Path source, Path target) throws IOException {
    Files.move(source, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Bytes of all regular files below root; files that vanish meanwhile count as nothing. */
  static long size(Path root) {
    try (Stream<Path> files = Files.walk(root)) {
      return files.mapToLong(FileTrees::fileSize).sum();
    } catch (IOException | java.io.UncheckedIOException e) {
      return 0;
    }
  }

  private static long fileSize(Path file) {
    try {
      return Files.isRegularFile(file) ? Files.size(file) : 0;
    } catch (IOException e) {
      return 0;
    }
  }
}
