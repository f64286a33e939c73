package dev.amanuensis.chaos;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a process that stands still said last and where its threads are: a harness that only gives
 * up leaves nothing to learn from.
 */
final class PostMortem {
  private static final int LAST_LINES = 12;
  private static final int STACK_LINES = 16;

  /** A JVM has its threads written by then. */
  private static final long DUMP_MILLIS = 1_500;

  private PostMortem() {}

  /**
   * Has a JVM write its threads into its log, and prints what matters of both.
   *
   * @param file that takes the process's output
   * @param threads beginnings of names
   */
  static void print(PrintStream out, Process process, Path file, List<String> threads)
      throws IOException, InterruptedException {
    List<String> said = lines(file);
    out.printf("-- %s (process %d%s)%n", file, process.pid(), process.isAlive() ? "" : ", ended");
    said.stream().skip(Math.max(0, said.size() - LAST_LINES)).forEach(out::println);
    if (!process.isAlive()) {
      return;
    }
    Child.signal(process.pid(), "QUIT");
    Thread.sleep(DUMP_MILLIS);
    List<String> all = lines(file);
    List<String> dump = all.subList(said.size(), all.size());
    for (int i = 0; i < dump.size(); i++) {
      String line = dump.get(i);
      if (threads.stream().anyMatch(name -> line.startsWith('"' + name))) {
        dump.subList(i, Math.min(dump.size(), i + STACK_LINES)).stream()
            .takeWhile(l -> !l.isBlank())
            .forEach(out::println);
      }
    }
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
  }
}
