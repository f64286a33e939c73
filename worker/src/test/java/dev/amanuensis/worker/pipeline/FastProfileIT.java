package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.evaluation.BasicNormalizer;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.TextNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionOptions;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** int8 and bf16 may cost little against the fp32 text, and never a repetition loop. */
class FastProfileIT {
  private static final double MOST_DRIFT = 0.03;
  private static Golden golden;

  @BeforeAll
  static void open() throws Exception {
    golden = new Golden(Profile.FAST);
  }

  @AfterAll
  static void close() {
    golden.close();
  }

  @Test
  void textStaysWithinThreePercentOfTheReference() throws Exception {
    Map<String, CompletableFuture<JobResult>> results = new LinkedHashMap<>();
    for (String file : golden.files()) {
      results.put(file, golden.submit(file, false));
    }
    long edits = 0;
    long words = 0;
    List<String> loops = new ArrayList<>();
    for (String file : golden.files()) {
      if (file.equals("noise.flac") || file.equals("silence.flac")) {
        continue; // without fallback noise becomes a loop; see below for the default
      }
      JobResult result = results.get(file).get(10, TimeUnit.MINUTES);
      var reference = golden.transcripts.get(file).get("plain");
      boolean english = reference.get("language").asText().equals("en");
      TextNormalizer normalizer = english ? new EnglishNormalizer() : new BasicNormalizer();
      Wer wer = new Wer(normalizer);
      wer.add(reference.get("text").asText(), result.transcription().text());
      System.out.printf("%-40s %2d of %3d words differ%n", file, wer.edits(), wer.referenceWords());
      edits += wer.edits();
      words += wer.referenceWords();
      if (result.transcription().segments().stream().anyMatch(FastProfileIT::repeats)) {
        loops.add(file);
      }
    }
    System.out.printf(
        "fast against reference: %.2f %% of %d words%n", 100.0 * edits / words, words);
    assertThat(words).isGreaterThan(900);
    assertThat((double) edits / words).isLessThanOrEqualTo(MOST_DRIFT);
    assertThat(loops).isEmpty();
  }

  private static boolean repeats(Segment segment) {
    return segment.compressionRatio() > 2.4;
  }

  @Test
  void noiseAndSilenceStayEmptyUnderTheDefaultFallback() throws Exception {
    for (String file : List.of("noise.flac", "silence.flac")) {
      byte[] audio = Files.readAllBytes(Golden.SPEECH.resolve(file));
      JobResult result =
          golden.submit(audio, TranscriptionOptions.DEFAULTS).get(5, TimeUnit.MINUTES);
      assertThat(result.transcription().text()).as(file).isBlank();
    }
  }
}
