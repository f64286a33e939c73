package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.standalone.Commands.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real speech through a real broker and the real model. */
class TranscribeIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TEXT =
      """
      And so my fellow Americans ask not what your country can do for you,
      ask what you can do for your country.
      """;

  @Test
  void transcriptIsTokenForTokenThatOfWhisper() throws Exception {
    Result result =
        Commands.run(
            "transcribe",
            "--profile=reference",
            "--temperature=0",
            "--word-timestamps",
            "--format=json",
            Commands.JFK);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.out().lines()).hasSize(1);
    JsonNode actual = JSON.readTree(result.out());
    JsonNode golden = JSON.readTree(Commands.GOLDEN.toFile()).get("jfk.wav").get("words");
    assertThat(actual.get("file").asText()).isEqualTo(Commands.JFK.toString());
    assertThat(actual.get("text")).isEqualTo(golden.get("text"));
    assertThat(actual.get("language")).isEqualTo(golden.get("language"));
    assertThat(actual.get("duration").asDouble()).isEqualTo(11.0, within(0.01));
    assertThat(actual.get("segments")).hasSameSizeAs(golden.get("segments"));
    for (int i = 0; i < golden.get("segments").size(); i++) {
      compareSegment(actual.get("segments").get(i), golden.get("segments").get(i));
    }
  }

  private static void compareSegment(JsonNode actual, JsonNode golden) {
    assertThat(actual.get("tokens")).isEqualTo(golden.get("tokens"));
    assertThat(actual.get("text")).isEqualTo(golden.get("text"));
    for (String name : new String[] {"start", "end"}) {
      assertThat(actual.get(name).asDouble()).isEqualTo(golden.get(name).asDouble(), within(0.02));
    }
    for (String name : new String[] {"avg_logprob", "compression_ratio", "no_speech_prob"}) {
      assertThat(actual.get(name).asDouble()).isEqualTo(golden.get(name).asDouble(), within(1e-3));
    }
    assertThat(actual.get("words")).hasSameSizeAs(golden.get("words"));
    for (int i = 0; i < golden.get("words").size(); i++) {
      JsonNode word = actual.get("words").get(i);
      JsonNode expected = golden.get("words").get(i);
      assertThat(word.get("word")).isEqualTo(expected.get("word"));
      assertThat(word.get("start").asDouble())
          .isEqualTo(expected.get("start").asDouble(), within(0.0201));
      assertThat(word.get("end").asDouble())
          .isEqualTo(expected.get("end").asDouble(), within(0.0201));
    }
  }

  @Test
  void twoAtOnceDoNotCollide() {
    var both =
        java.util.stream.Stream.of("txt", "txt")
            .map(
                format ->
                    CompletableFuture.supplyAsync(
                        () ->
                            Commands.run(
                                "transcribe",
                                "--profile=reference",
                                "--temperature=0",
                                "--format=" + format,
                                Commands.JFK)))
            .toList();
    for (var one : both) {
      Result result = one.join();
      assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
      assertThat(result.out()).isEqualTo(TEXT);
    }
  }

  @Test
  void fileTooLargeForARecordIsReadWhereItIs(@TempDir Path directory) throws Exception {
    // The same speech at 48 kHz in two channels is more than two megabytes.
    Path large = Files.write(directory.resolve("a tone.wav"), WaveFile.tone(2, 48_000, 11));
    assertThat(Files.size(large)).isGreaterThan(2_000_000);
    Result result =
        Commands.run(
            "transcribe",
            "--profile=reference",
            "--temperature=0",
            "--format=json",
            large,
            Commands.JFK);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.out().lines()).hasSize(2);
    JsonNode first = JSON.readTree(result.out().lines().findFirst().orElseThrow());
    assertThat(first.get("file").asText()).isEqualTo(large.toString());
    assertThat(first.get("duration").asDouble()).isEqualTo(11.0, within(0.01));
  }
}
