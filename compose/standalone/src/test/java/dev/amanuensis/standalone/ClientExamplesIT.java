package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the examples of docs/clients as their readers would, against {@code standalone}: OpenAI's
 * official clients, and Kafka clients in three languages. What an interpreter or a package registry
 * is missing for is skipped.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ClientExamplesIT {
  private static final Path EXAMPLES = Path.of("../../docs/clients").toAbsolutePath().normalize();
  private static final Path SCHEMA =
      EXAMPLES.resolve("../../schemas/src/main/avro/AudioJob.avsc").normalize();

  /** Kept between runs: installing takes longer than the tests. */
  private static final Path INSTALLED = Path.of("target/clients").toAbsolutePath();

  @TempDir static Path data;
  private static Fleet fleet;

  @BeforeAll
  static void start() throws Exception {
    fleet = Fleet.start(new Fleet.Plan(data, 0, 0, Map.of("admin.port", "0")));
    while (fleet.starting() != null) {
      fleet.check();
      Thread.sleep(20);
    }
  }

  @AfterAll
  static void stop() {
    if (fleet != null) {
      fleet.abandon();
    }
  }

  private record Ended(int code, String out, String err) {}

  private static Ended run(Path directory, List<String> command) throws Exception {
    Path out = Files.createTempFile(data, "out", null);
    Path err = Files.createTempFile(data, "err", null);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("AUDIO_JOB_SCHEMA", SCHEMA.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    try {
      return new Ended(process.waitFor(), text(out), text(err));
    } finally {
      process.destroyForcibly();
    }
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  /** Skips the test if it fails. */
  private static void prepare(Path directory, String... command) throws Exception {
    Ended ended;
    try {
      ended = run(directory, List.of(command));
    } catch (IOException e) {
      Assumptions.abort("there is no " + command[0] + " here: " + e.getMessage());
      return;
    }
    Assumptions.assumeTrue(
        ended.code == 0, () -> String.join(" ", command) + " failed here: " + ended.err);
  }

  private static synchronized List<String> python(String script) throws Exception {
    Path home = INSTALLED.resolve("python");
    Path requirements = EXAMPLES.resolve("python/requirements.txt");
    Path mark = home.resolve("requirements.txt");
    if (!Files.exists(mark) || Files.mismatch(mark, requirements) >= 0) {
      Files.createDirectories(INSTALLED);
      prepare(INSTALLED, "python3", "-m", "venv", "--clear", home.toString());
      String pip = home.resolve("bin/pip").toString();
      prepare(INSTALLED, pip, "install", "-q", "-r", requirements.toString());
      Files.copy(requirements, mark, StandardCopyOption.REPLACE_EXISTING);
    }
    return List.of(
        home.resolve("bin/python").toString(), EXAMPLES.resolve("python/" + script).toString());
  }

  private static synchronized List<String> node(String script) throws Exception {
    Path home = Files.createDirectories(INSTALLED.resolve("node"));
    Path wanted = EXAMPLES.resolve("node/package.json");
    Path mark = home.resolve("installed.json");
    if (!Files.exists(mark) || Files.mismatch(mark, wanted) >= 0) {
      Files.copy(wanted, home.resolve("package.json"), StandardCopyOption.REPLACE_EXISTING);
      prepare(home, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts");
      Files.copy(wanted, mark, StandardCopyOption.REPLACE_EXISTING);
    }
    // Beside its packages, where Node looks for them.
    Path copy = home.resolve(script);
    Files.copy(EXAMPLES.resolve("node/" + script), copy, StandardCopyOption.REPLACE_EXISTING);
    return List.of("node", copy.toString());
  }

  private static String transcribed(List<String> program, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(program);
    command.addAll(List.of(arguments));
    Ended ended = run(data, command);
    assertThat(ended.code).as(ended.err).isZero();
    return ended.out;
  }

  private static String[] openai(String form) {
    return new String[] {fleet.adminUrl().orElseThrow() + "v1", Commands.JFK.toString(), form};
  }

  private static String[] kafka() {
    return new String[] {
      fleet.target().bootstrapServers(), fleet.target().registryUrl(), Commands.JFK.toString()
    };
  }

  private static void isJfk(String form, String out) {
    switch (form) {
      case "words" -> {
        // The comma after the last of these is nearly a tie.
        assertThat(out.lines().map(l -> l.split("\t")[2].replace(",", "")))
            .startsWith("And", "so", "my", "fellow", "Americans");
        assertThat(out.lines().map(l -> Double.parseDouble(l.split("\t")[0]))).isSorted();
      }
      case "srt" -> assertThat(out).startsWith("1\n00:00:00,").contains("your country");
      case "vtt" -> assertThat(out).startsWith("WEBVTT").contains("your country");
      default ->
          assertThat(out)
              .startsWith("And so my fellow Americans")
              .contains("ask what you can do for your country.");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "text", "srt", "vtt", "words", "stream"})
  void openAisPythonClientGets(String form) throws Exception {
    isJfk(form, transcribed(python("openai_transcribe.py"), openai(form)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "text", "srt", "vtt", "words", "stream"})
  void openAisNodeClientGets(String form) throws Exception {
    isJfk(form, transcribed(node("openai_transcribe.mjs"), openai(form)));
  }

  @Test
  void pythonSpeaksKafka() throws Exception {
    isJfk("text", transcribed(python("kafka_transcribe.py"), kafka()));
  }

  @Test
  void nodeSpeaksKafka() throws Exception {
    isJfk("text", transcribed(node("kafka_transcribe.mjs"), kafka()));
  }

  @Test
  void javaSpeaksKafka() throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toAbsolutePath().toString())
            .reduce((a, b) -> a + File.pathSeparator + b)
            .orElseThrow();
    isJfk(
        "text",
        transcribed(
            List.of(
                java.toString(),
                "-cp",
                classPath,
                EXAMPLES.resolve("java/KafkaTranscribe.java").toString()),
            kafka()));
  }
}
