package dev.amanuensis.chaos;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A JVM of its own with our class path, and signals to it. None outlives this process: Kafka and
 * workers whose peers have gone take minutes to end by themselves.
 */
final class Child {
  private static final Set<Process> STARTED = ConcurrentHashMap.newKeySet();

  private static volatile boolean ending;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(Child::endAll, "children"));
  }

  private Child() {}

  private static void endAll() {
    ending = true;
    STARTED.forEach(Process::destroyForcibly);
  }

  static Process start(String mainClass, List<String> arguments, Path log, String... options)
      throws IOException {
    if (ending) {
      throw new IOException("this process ends");
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=/dev/null"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
    command.addAll(arguments);
    Process child =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    STARTED.add(child);
    child.onExit().thenAccept(STARTED::remove);
    return child;
  }

  /**
   * @param name for example STOP or CONT
   */
  static void signal(long pid, String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor();
  }
}
