package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.command.LocalFleet;
import dev.amanuensis.cli.kafka.KafkaTarget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/** A fleet whose data is gone at the end, also after Ctrl-C and SIGTERM. */
final class TemporaryFleet implements LocalFleet {
  private final Path data;
  private final boolean endsWithProcess;
  private final Thread hook = new Thread(this::closeOnce, "stop-fleet");
  private Fleet fleet;
  private boolean closed;
  private boolean left;

  private TemporaryFleet(Path data, boolean endsWithProcess) {
    this.data = data;
    this.endsWithProcess = endsWithProcess;
  }

  /**
   * @param endsWithProcess {@link #close} does not wait for servers to end in order: over a second
   *     that nobody gains by
   */
  static TemporaryFleet start(Path data, Map<String, String> settings, boolean endsWithProcess)
      throws CliException, InterruptedException {
    TemporaryFleet temporary = new TemporaryFleet(data, endsWithProcess);
    Runtime.getRuntime().addShutdownHook(temporary.hook);
    try {
      temporary.run(Fleet.start(new Fleet.Plan(data, 0, 0, settings)));
      return temporary;
    } catch (CliException | InterruptedException | RuntimeException | Error e) {
      temporary.close();
      throw e;
    }
  }

  private synchronized void run(Fleet started) {
    if (closed) {
      started.abandon();
    }
    fleet = started;
  }

  @Override
  public KafkaTarget target() {
    return fleet.target();
  }

  @Override
  public void check() throws CliException {
    fleet.check();
  }

  @Override
  public String starting() {
    return fleet.starting();
  }

  @Override
  public void close() {
    if (endsWithProcess) {
      leave();
    }
    closeOnce();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is going down already, by that very hook.
    }
  }

  /** Whether servers were left to the end of the process, their data deleted. */
  synchronized boolean left() {
    return left;
  }

  private synchronized void leave() {
    if (!closed && fleet != null) {
      closed = true;
      left = true;
      fleet.leave();
      deleteTree(data);
    }
  }

  /** Nobody will read the data again, so nothing is flushed and no job is awaited. */
  private synchronized void closeOnce() {
    if (closed) {
      return;
    }
    closed = true;
    if (fleet != null) {
      fleet.abandon();
    }
    deleteTree(data);
  }

  private static void deleteTree(Path root) {
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException e) {
      // A file that another thread still writes; the system's temporary directory is cleaned.
    }
  }
}
