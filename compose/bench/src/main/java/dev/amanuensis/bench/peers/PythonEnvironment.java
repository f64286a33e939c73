package dev.amanuensis.bench.peers;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A virtual environment with one peer in it, made once in the cache folder. pip is the user's, with
 * the index that it is configured for.
 */
final class PythonEnvironment {
  private static final String DONE = "installed";
  private static final int TAIL = 5;

  private final Path directory;
  private final List<String> requirements;

  /**
   * @param requirements pinned, as pip takes them
   */
  PythonEnvironment(Path directory, List<String> requirements) {
    this.directory = directory;
    this.requirements = requirements;
  }

  Path python() {
    return directory.resolve("bin/python");
  }

  /** Installs unless the same requirements are there already. */
  void ensure(StatusLine status) throws CliException, InterruptedException {
    Path mark = directory.resolve(DONE);
    String wanted = String.join("\n", requirements);
    try {
      if (Files.exists(mark) && Files.readString(mark).equals(wanted)) {
        return;
      }
      Files.createDirectories(directory.getParent());
      run(List.of("python3", "-m", "venv", "--clear", directory.toString()), status);
      List<String> pip =
          new ArrayList<>(
              List.of(
                  python().toString(),
                  "-m",
                  "pip",
                  "install",
                  "--disable-pip-version-check",
                  "--no-input",
                  "--progress-bar=off"));
      pip.addAll(requirements);
      run(pip, status);
      Files.writeString(mark, wanted);
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.INTERNAL, "can't make the Python environment " + directory + ": " + e, e);
    }
  }

  /** Runs a program of the environment to its end, with its last line as status. */
  static void run(List<String> command, StatusLine status)
      throws CliException, IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("PIP_REQUIRE_VIRTUALENV", "false");
    Process process = builder.start();
    process.getOutputStream().close();
    Deque<String> tail = new ArrayDeque<>();
    try (InputStream in = process.getInputStream();
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        status.change("pip: " + line.strip());
        tail.addLast(line);
        if (tail.size() > TAIL) {
          tail.removeFirst();
        }
      }
      if (process.waitFor() != 0) {
        throw new CliException(
            ExitCodes.INTERNAL,
            "'%s' failed:%n  %s".formatted(String.join(" ", command), String.join("\n  ", tail)));
      }
    } finally {
      process.destroyForcibly();
    }
  }
}
