package dev.amanuensis.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A contender's process: it loads its model, then answers each line (a JSON list of files) with a
 * line (seconds, and text and language of each file). One thread uses it.
 */
final class Runner implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LOG_LINES = 6;

  private final String title;
  private final Path log;
  private final Process process;
  private final BufferedReader answers;
  private final Thread atExit;
  private final String versions;
  private final String isa;

  /**
   * One pass over the files.
   *
   * @param seconds of wall time
   * @param cpuSeconds of all cores together; NaN where the system does not tell
   * @param texts one per file, in their order
   * @param languages codes, one per file
   */
  record Pass(double seconds, double cpuSeconds, List<String> texts, List<String> languages) {}

  /** Starts the process and returns once its model is loaded. */
  Runner(String title, List<String> command, Map<String, String> environment, Path log)
      throws CliException {
    this.title = title;
    this.log = log;
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
      builder.environment().putAll(environment);
      process = builder.start();
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, title + " can't be started: " + e.getMessage(), e);
    }
    atExit = new Thread(process::destroyForcibly, "stop-" + title);
    Runtime.getRuntime().addShutdownHook(atExit);
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    try {
      JsonNode about = answer().path("ready");
      versions = about.path("versions").asText();
      isa = about.path("isa").asText();
    } catch (CliException e) {
      close();
      throw e;
    }
  }

  String versions() {
    return versions;
  }

  String isa() {
    return isa;
  }

  Pass run(List<Path> files) throws CliException {
    double cpuBefore = cpuSeconds();
    try {
      OutputStream out = process.getOutputStream();
      out.write(JSON.writeValueAsBytes(files.stream().map(Path::toString).toList()));
      out.write('\n');
      out.flush();
    } catch (IOException e) {
      throw died();
    }
    JsonNode answer = answer();
    List<String> texts = new ArrayList<>();
    List<String> languages = new ArrayList<>();
    for (JsonNode result : answer.path("results")) {
      texts.add(result.get(0).asText());
      languages.add(result.get(1).asText());
    }
    // The system counts those of the process alone, and an engine may be a program that it runs.
    double cpu = cpuSeconds() - cpuBefore + answer.path("child_cpu_seconds").asDouble();
    return new Pass(answer.path("seconds").asDouble(), cpu, texts, languages);
  }

  private double cpuSeconds() {
    return process.info().totalCpuDuration().map(cpu -> cpu.toMillis() / 1000.0).orElse(Double.NaN);
  }

  private JsonNode answer() throws CliException {
    try {
      String line = answers.readLine();
      if (line == null) {
        throw died();
      }
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, title + ": " + e.getMessage(), e);
    }
  }

  private CliException died() {
    String tail = "";
    try {
      List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
      tail =
          String.join("\n  ", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    } catch (IOException e) {
      // the exit code has to do
    }
    return new CliException(
        ExitCodes.INTERNAL, title + " stopped; its log is " + log + " and ends with\n  " + tail);
  }

  @Override
  public void close() {
    try {
      process.getOutputStream().close(); // the runner ends with its input
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // the JVM is going down: the hook runs
    }
  }
}
