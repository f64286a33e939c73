package dev.amanuensis.cli.command;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps copies of what can be read only once (standard input, a pipe) until it is closed: a job's
 * audio is read twice, and its size must be known. One thread uses it.
 */
final class Spool implements AutoCloseable {
  private final InputStream stdin;
  private final List<Path> copies = new ArrayList<>();

  /**
   * @param stdin what "-" stands for; it is not closed
   */
  Spool(InputStream stdin) {
    this.stdin = stdin;
  }

  /**
   * Where to read the named file; standard input and pipes are read to their ends first.
   *
   * @throws NoSuchFileException if there is none
   * @throws AccessDeniedException if it may not be read
   * @throws IOException if it can't be read, or not be copied
   */
  Input input(Path named) throws IOException {
    if (Input.isStdin(named)) {
      return new Input(named, copy(stdin));
    }
    if (!Files.exists(named)) {
      throw new NoSuchFileException(named.toString());
    }
    if (!Files.isReadable(named)) {
      throw new AccessDeniedException(named.toString());
    }
    if (Files.isRegularFile(named)) {
      return new Input(named, named);
    }
    try (InputStream in = Files.newInputStream(named)) {
      return new Input(named, copy(in));
    }
  }

  private Path copy(InputStream in) throws IOException {
    Path copy = Files.createTempFile("amanuensis-input-", ".bin");
    copies.add(copy);
    copy.toFile().deleteOnExit(); // after Ctrl-C nobody closes us
    Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
    return copy;
  }

  @Override
  public void close() {
    for (Path copy : copies) {
      try {
        Files.deleteIfExists(copy);
      } catch (IOException e) {
        // The system's temporary directory is cleaned.
      }
    }
  }
}
