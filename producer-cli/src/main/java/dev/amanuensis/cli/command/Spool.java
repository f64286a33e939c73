package dev.amanuensis.cli.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.function.Consumer;

/**
 * Keeps copies of what can be read only once (standard input, a pipe) until it is closed: a job's
 * audio is read twice, and its size must be known. One thread uses it.
 */
final class Spool implements AutoCloseable {
  private static final Duration SILENCE = Duration.ofSeconds(3);
  private static final int TYPE = 0170000; // stat's S_IFMT
  private static final int PIPE = 0010000;

  private final InputStream stdin;
  private final Consumer<String> notice;
  private final Duration silence;
  private final List<Path> copies = new ArrayList<>();

  private interface Source {
    InputStream open() throws IOException;
  }

  /**
   * @param stdin what "-" stands for; it is not closed
   * @param notice told, by another thread, of a pipe out of which nothing comes
   */
  Spool(InputStream stdin, Consumer<String> notice) {
    this(stdin, notice, SILENCE);
  }

  /**
   * @param silence after which nothing is worth a notice
   */
  Spool(InputStream stdin, Consumer<String> notice, Duration silence) {
    this.stdin = stdin;
    this.notice = notice;
    this.silence = silence;
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
      return new Input(named, copy("standard input", () -> stdin));
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
    if (((int) Files.getAttribute(named, "unix:mode") & TYPE) != PIPE) {
      throw new IOException("neither a file nor a pipe; - is standard input");
    }
    return new Input(named, copy("the pipe " + named, () -> Files.newInputStream(named)));
  }

  private Path copy(String name, Source source) throws IOException {
    Path copy = Files.createTempFile("amanuensis-input-", ".bin");
    copies.add(copy);
    copy.toFile().deleteOnExit(); // after Ctrl-C nobody closes us
    Timer timer = new Timer("silence", true);
    try (OutputStream out = Files.newOutputStream(copy)) { // the file stays ours alone to read
      timer.schedule(saying(name), silence.toMillis());
      InputStream in = source.open(); // returns once a pipe has a writer
      try {
        int first = in.read();
        timer.cancel();
        if (first >= 0) {
          out.write(first);
          in.transferTo(out);
        }
      } finally {
        if (in != stdin) {
          in.close();
        }
      }
    } finally {
      timer.cancel();
    }
    return copy;
  }

  private TimerTask saying(String name) {
    return new TimerTask() {
      @Override
      public void run() {
        notice.accept("waiting for audio: nothing has come out of " + name + " yet; Ctrl-C ends");
      }
    };
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
