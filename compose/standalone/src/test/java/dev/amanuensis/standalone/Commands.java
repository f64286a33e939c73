package dev.amanuensis.standalone;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs commands in this JVM and keeps what they write. */
final class Commands {
  /** Real speech that the repository carries. */
  static final Path JFK = repository("native/src/test/resources/speech/jfk.wav");

  /** The same, compressed. */
  static final Path FLAC =
      repository("worker/src/test/resources/speech/librispeech/103-1240-0000.flac");

  /** What openai/whisper makes of it. */
  static final Path GOLDEN = repository("worker/src/test/resources/golden/transcripts.json");

  private Commands() {}

  /** How a command ended, and what it wrote. */
  record Result(int code, String out, String err) {}

  static Result run(Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] words = Arrays.stream(arguments).map(Object::toString).toArray(String[]::new);
    int code = Main.run(new Terminal(out, err, false, false, false), words);
    return new Result(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** The command in a process of its own, against this fleet. */
  static ProcessBuilder process(String command, KafkaTarget target, String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                command,
                "-b",
                target.bootstrapServers(),
                "--schema-registry",
                target.registryUrl()));
    words.addAll(List.of(more));
    return new ProcessBuilder(words);
  }

  private static Path repository(String path) {
    return Path.of("../..").resolve(path).toAbsolutePath().normalize();
  }
}
