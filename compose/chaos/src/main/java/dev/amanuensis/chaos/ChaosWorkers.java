package dev.amanuensis.chaos;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Worker processes, each restarted when it dies: what a supervisor does. Thread-safe. */
final class ChaosWorkers implements AutoCloseable {
  private static final long RESTART_MILLIS = 200;

  private final Path data;
  private final Map<String, String> settings;
  private final List<Slot> slots = new ArrayList<>();
  private volatile boolean closed;

  /** A worker with a stable id. */
  private final class Slot {
    final String id;
    final Map<String, String> more;
    Process process;
    int starts;
    boolean retired;

    Slot(String id, Map<String, String> more) {
      this.id = id;
      this.more = more;
    }

    Path hang() {
      return data.resolve(id + ".hang");
    }

    Path log() {
      return data.resolve(id + ".log");
    }

    synchronized void launch() throws IOException {
      Map<String, String> own = new HashMap<>(settings);
      own.putAll(more);
      own.put("worker.id", id);
      List<String> arguments = new ArrayList<>();
      own.forEach((k, v) -> arguments.add(k + "=" + v));
      process =
          Child.start(
              ChaosWorker.class.getName(),
              arguments,
              log(),
              "-Xmx512m",
              "-D" + ChaosWorker.HANG + "=" + hang(),
              // The storage checks no signature, but the client wants to sign.
              "-Daws.accessKeyId=chaos",
              "-Daws.secretAccessKey=chaos");
      starts++;
    }

    synchronized Process process() {
      return process;
    }

    void supervise() {
      try {
        while (true) {
          process().waitFor();
          synchronized (this) {
            if (closed || retired) {
              return;
            }
          }
          Thread.sleep(RESTART_MILLIS);
          launch();
        }
      } catch (InterruptedException | IOException e) {
        // the harness ends
      }
    }
  }

  /**
   * @param settings of every worker but its id
   */
  ChaosWorkers(Path data, Map<String, String> settings) {
    this.data = data;
    this.settings = settings;
  }

  void start(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      add("worker-" + (i + 1), Map.of());
    }
  }

  /** One more that stays. */
  void start(String id, Map<String, String> more) throws IOException {
    add(id, more);
  }

  private Slot add(String id, Map<String, String> more) throws IOException {
    Slot slot = new Slot(id, more);
    slot.launch();
    synchronized (slots) {
      slots.add(slot);
    }
    Thread supervisor = new Thread(slot::supervise, "supervisor-" + id);
    supervisor.setDaemon(true);
    supervisor.start();
    return slot;
  }

  private Slot slot(int target) {
    synchronized (slots) {
      return slots.get(target % slots.size());
    }
  }

  /** SIGKILL; the supervisor starts it again. Returns its id. */
  String kill(int target) {
    Slot slot = slot(target);
    synchronized (slot) {
      slot.process.destroyForcibly();
    }
    return slot.id;
  }

  /** SIGSTOP for the given time, then SIGCONT. Returns its id. */
  String stop(int target, long millis) throws IOException, InterruptedException {
    Slot slot = slot(target);
    long pid;
    synchronized (slot) {
      pid = slot.process.pid();
    }
    Child.signal(pid, "STOP");
    Thread.sleep(millis);
    Child.signal(pid, "CONT");
    return slot.id;
  }

  /** Its device hangs for the given time. Returns its id. */
  String hang(int target, long millis) throws IOException, InterruptedException {
    Slot slot = slot(target);
    Files.createFile(slot.hang());
    try {
      Thread.sleep(millis);
    } finally {
      Files.delete(slot.hang());
    }
    return slot.id;
  }

  /** One more worker comes, and leaves in good order. */
  void visit(String id, long millis) throws IOException, InterruptedException {
    Slot slot = add(id, Map.of());
    Thread.sleep(millis);
    synchronized (slots) {
      slots.remove(slot);
    }
    synchronized (slot) {
      slot.retired = true;
      slot.process.destroy();
    }
    slot.process.waitFor();
  }

  /** Those that run now, or did a moment ago. */
  List<Process> processes() {
    return all().stream().map(Slot::process).toList();
  }

  private List<Slot> all() {
    synchronized (slots) {
      return List.copyOf(slots);
    }
  }

  /** Times that a worker found a job that its lost predecessor had started, by their logs. */
  long suspects() throws IOException {
    long n = 0;
    try (DirectoryStream<Path> logs = Files.newDirectoryStream(data, "*.log")) {
      for (Path log : logs) {
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
          n += lines.filter(l -> l.contains("was at work in a worker that was lost")).count();
        }
      }
    }
    return n;
  }

  int restarts() {
    synchronized (slots) {
      return slots.stream().mapToInt(s -> s.starts - 1).sum();
    }
  }

  /** What each of them does now. */
  void explain(PrintStream out) throws IOException, InterruptedException {
    for (Slot slot : all()) {
      PostMortem.print(out, slot.process(), slot.log(), List.of("job-loop", "control", "main"));
    }
  }

  @Override
  public void close() {
    closed = true;
    synchronized (slots) {
      slots.forEach(s -> s.process.destroyForcibly());
    }
  }
}
