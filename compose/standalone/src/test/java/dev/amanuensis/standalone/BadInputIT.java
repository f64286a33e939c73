package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.standalone.Commands.Result;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is put in, there is a message and a defined exit code, and the next file is done. */
class BadInputIT {
  @TempDir Path directory;

  private Path file(String name, byte[] bytes) throws IOException {
    return Files.write(directory.resolve(name), bytes);
  }

  private static Result transcribe(Object... more) {
    List<Object> arguments =
        new ArrayList<>(List.of("transcribe", "--profile=reference", "--temperature=0"));
    arguments.addAll(List.of(more));
    return Commands.run(arguments.toArray());
  }

  @Test
  void badFilesFailAloneAndTheWorkerGoesOn() throws Exception {
    byte[] noise = new byte[50_000];
    new Random(1).nextBytes(noise);
    Path empty = file("empty.wav", new byte[0]);
    Path text = file("text.wav", "This is not audio at all.\n".repeat(100).getBytes());
    Path random = file("random.bin", noise);
    Path headerOnly = file("cut.flac", "fLaC\0\0\0\"".getBytes());
    Path missing = directory.resolve("missing.wav");
    Result result = transcribe(empty, text, random, headerOnly, missing, Commands.JFK);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.FAILED);
    assertThat(result.err().lines())
        .anyMatch(line -> line.startsWith(empty + ": AUDIO_EMPTY: "))
        .anyMatch(line -> line.startsWith(text + ": AUDIO_UNREADABLE: "))
        .anyMatch(line -> line.startsWith(random + ": AUDIO_UNREADABLE: "))
        .anyMatch(line -> line.startsWith(headerOnly + ": AUDIO_UNREADABLE: "))
        .anyMatch(line -> line.startsWith(missing + ": no such file"));
    assertThat(result.err()).doesNotContain("\tat ");
    assertThat(result.out())
        .startsWith("And so my fellow Americans")
        .endsWith("ask what you can do for your country.\n");
  }

  @Test
  void cutAudioIsTranscribedAsFarAsItGoesAndThatIsSaid() throws Exception {
    byte[] whole = Files.readAllBytes(Commands.FLAC);
    Path cut = file("cut.flac", Arrays.copyOf(whole, whole.length / 2));
    Result result = transcribe(cut);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.out()).isNotBlank();
    assertThat(result.err())
        .startsWith(cut + ": warning: the audio is damaged or cut; what FFmpeg could decode")
        .doesNotContain("\tat ");
  }

  @Test
  void transcriptThatCantBeWrittenDoesNotCostTheOthers() throws Exception {
    Path out = directory.resolve("out");
    Files.createDirectories(out.resolve("brief.txt/in the way"));
    Path brief = file("brief.wav", WaveFile.tone(1, 16_000, 0.5));
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(Files.readAllBytes(Commands.JFK)));
    try {
      Result result = transcribe("--output", out, brief, "-");
      assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.FAILED);
      assertThat(result.err()).contains(brief + ": can't write " + out.resolve("brief.txt"));
    } finally {
      System.setIn(before);
    }
    assertThat(out.resolve("stdin.txt")).content().contains("ask what you can do");
  }

  @Test
  void directoryIsUsage() {
    Result result = transcribe(directory);
    assertThat(result.code()).isEqualTo(ExitCodes.USAGE);
    assertThat(result.err()).contains(directory + " is a directory");
  }

  @Test
  void unknownOptionIsUsage() {
    Result result = transcribe("--frobnicate", Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.USAGE);
    assertThat(result.err()).contains("--frobnicate").contains("transcribe --help");
  }

  @Test
  void brokerThatIsNotThereIsSaidToBe() {
    Result result =
        Commands.run("transcribe", "-b", "localhost:1", "--connect-timeout=2", Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(result.err()).contains("localhost:1").contains("standalone");
    assertThat(result.out()).isEmpty();
  }

  @Test
  void oddAudioIsTranscribedAllTheSame() throws Exception {
    Path brief = file("brief.wav", WaveFile.tone(1, 16_000, 0.05));
    Path surround = file("surround.wav", WaveFile.tone(6, 96_000, 1));
    Result result = transcribe("--format=json", brief, surround);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.out().lines()).hasSize(2);
    assertThat(result.out()).contains("\"duration\":0.05,").contains("\"duration\":1.0,");
  }

  @Test
  void unknownLanguageIsUsage() {
    Result result = transcribe("--language=klingon", Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.USAGE);
    assertThat(result.err()).contains("unknown language 'klingon'");
    assertThat(result.out()).isEmpty();
  }

  @Test
  void unknownProfileIsUsage() {
    Result result = Commands.run("transcribe", "--profile=perfect", Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.USAGE);
    assertThat(result.err()).contains("perfect").contains("reference");
  }

  @Test
  void missingModelSaysHowToGetIt() {
    Result result = transcribe("--model-dir=" + directory.resolve("none"), Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.MODEL);
    assertThat(result.err()).contains("no model").contains("model fetch");
  }

  @Test
  void engineThatCantBeUnpackedEndsTheCommandWithTheReason() throws Exception {
    ProcessBuilder command =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "transcribe",
            "--model-dir=" + ModelStore.defaultStore().directory(),
            Commands.JFK.toString());
    Path file = file("cache", new byte[0]);
    command.environment().put("XDG_CACHE_HOME", file.toString()); // no directory: nothing fits in
    Path err = directory.resolve("err");
    Process process = command.redirectError(err.toFile()).start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      assertThat(process.exitValue()).isEqualTo(ExitCodes.INTERNAL);
      assertThat(err)
          .content()
          .contains("error: can't load the native engine: can't unpack", "XDG_CACHE_HOME")
          .doesNotContain("\tat ");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void dataDirectoryThatIsAFileIsUsage() {
    Result result = transcribe("--data-dir=" + Commands.FLAC, Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.USAGE);
    assertThat(result.err())
        .contains("the data directory " + Commands.FLAC + " is not a directory");
  }

  @Test
  void corruptedModelIsNoticed() throws Exception {
    ModelFiles good = ModelStore.defaultStore().locate();
    Path copy = Files.createDirectory(directory.resolve("model"));
    try (var files = Files.list(good.weights().getParent())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    try (var weights = new RandomAccessFile(copy.resolve(ModelStore.WEIGHTS).toFile(), "rw")) {
      long middle = weights.length() / 2;
      weights.seek(middle);
      int old = weights.read();
      weights.seek(middle);
      weights.write(old ^ 1);
    }
    Result verified = Commands.run("model", "verify", "--model-dir", copy);
    assertThat(verified.code()).isEqualTo(ExitCodes.MODEL);
    Result result = transcribe("--model-dir=" + copy, Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.MODEL);
    assertThat(result.err()).contains(ModelStore.WEIGHTS).contains("model fetch");
    assertThat(result.out()).isEmpty();
  }

  @Test
  void truncatedModelIsNoticed() throws Exception {
    ModelFiles good = ModelStore.defaultStore().locate();
    Path copy = Files.createDirectory(directory.resolve("model"));
    Files.copy(good.tokenizer(), copy.resolve(ModelStore.TOKENIZER));
    byte[] head = new byte[1_000_000];
    try (var in = Files.newInputStream(good.weights())) {
      assertThat(in.readNBytes(head, 0, head.length)).isEqualTo(head.length);
    }
    Files.write(copy.resolve(ModelStore.WEIGHTS), head); // without a manifest: hashes can't tell
    Result result = transcribe("--model-dir=" + copy, Commands.JFK);
    assertThat(result.code()).isEqualTo(ExitCodes.MODEL);
    assertThat(result.err()).contains(copy.toString()).doesNotContain("\tat ");
  }
}
