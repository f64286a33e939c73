package dev.amanuensis.worker;

import dev.amanuensis.worker.intake.DeliveryLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A worker in a JVM of its own, restarted when it dies: what a supervisor does. Over a {@link
 * FakeSink} unless told otherwise. Thread-safe.
 */
final class WorkerProcess implements AutoCloseable {
  private final Map<String, String> settings;
  private final Path log;
  private final Class<?> main;
  private final List<String> options;
  private final Thread supervisor;
  private Process process;
  private boolean closed;
  private int starts;

  WorkerProcess(Map<String, String> settings, Path log) throws IOException {
    this(settings, log, WorkerProcess.class, List.of());
  }

  /**
   * @param main takes settings as arguments, key=value
   * @param options of the JVM
   */
  WorkerProcess(Map<String, String> settings, Path log, Class<?> main, List<String> options)
      throws IOException {
    this.settings = settings;
    this.log = log;
    this.main = main;
    this.options = options;
    launch();
    supervisor = new Thread(this::supervise, "supervisor");
    supervisor.setDaemon(true);
    supervisor.start();
  }

  private synchronized void launch() throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + log + ".crash-%p"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    settings.forEach((k, v) -> command.add(k + "=" + v));
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    starts++;
  }

  private void supervise() {
    try {
      while (true) {
        Process running;
        synchronized (this) {
          running = process;
        }
        running.waitFor();
        synchronized (this) {
          if (closed) {
            return;
          }
          launch();
        }
      }
    } catch (InterruptedException | IOException e) {
      // closed
    }
  }

  /** SIGKILL; the supervisor starts it again. */
  synchronized void kill() {
    process.destroyForcibly();
  }

  /** For example STOP or CONT. */
  synchronized void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  synchronized int restarts() {
    return starts - 1;
  }

  @Override
  public void close() {
    Process last;
    synchronized (this) {
      closed = true;
      last = process;
    }
    last.destroyForcibly();
    try {
      last.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** From arguments, key=value. */
  static Map<String, String> settings(String[] arguments) {
    Map<String, String> settings = new HashMap<>();
    for (String a : arguments) {
      settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
    }
    return settings;
  }

  /** The worker itself. Arguments are settings. */
  public static void main(String[] arguments) throws InterruptedException {
    Map<String, String> settings = settings(arguments);
    try (FakeSink sink = new FakeSink(Integer.parseInt(settings.get("pipeline.max.jobs")));
        DeliveryLoop loop = TestCluster.loop(settings, sink)) {
      loop.start();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> loop.close(Duration.ofSeconds(1))));
      while (loop.failure() == null) {
        Thread.sleep(100);
      }
      loop.failure().printStackTrace();
    }
    System.exit(1);
  }
}
