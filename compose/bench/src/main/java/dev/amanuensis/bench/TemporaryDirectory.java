package dev.amanuensis.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A directory that is gone with what is in it when it is closed. */
public final class TemporaryDirectory implements AutoCloseable {
  private final Path path = Files.createTempDirectory("amanuensis-bench-");

  public TemporaryDirectory() throws IOException {}

  public Path path() {
    return path;
  }

  /** A new directory in it. */
  public Path folder(String name) throws IOException {
    return Files.createDirectory(path.resolve(name));
  }

  @Override
  public void close() {
    try {
      deleteTree(path);
    } catch (IOException | UncheckedIOException e) {
      // the system cleans its temporary directory
    }
  }

  /** Deletes a directory or a file, if it is there. */
  public static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path file : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
