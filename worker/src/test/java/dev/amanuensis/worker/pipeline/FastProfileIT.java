package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.evaluation.BasicNormalizer;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.TextNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.Word;
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
      assertThat(result.transcription().language())
          .as(file)
          .isEqualTo(reference.get("language").asText());
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

  /** Of the words that are where the reference has them: how near their times are. */
  @Test
  void wordTimesStayNearTheReference() throws Exception {
    Map<String, CompletableFuture<JobResult>> results = new LinkedHashMap<>();
    for (String file : golden.files()) {
      results.put(file, golden.submit(file, true));
    }
    int times = 0;
    int near = 0;
    int nearer = 0;
    double align = 0;
    for (String file : golden.files()) {
      JobResult result = results.get(file).get(10, TimeUnit.MINUTES);
      align += result.timings().getOrDefault("align", 0.0);
      List<JsonNode> want = new ArrayList<>();
      golden
          .transcripts
          .get(file)
          .get("words")
          .get("segments")
          .forEach(segment -> segment.get("words").forEach(want::add));
      for (Map.Entry<Word, JsonNode> pair : matched(words(result), want)) {
        double start = Math.abs(pair.getKey().start() - pair.getValue().get("start").asDouble());
        double end = Math.abs(pair.getKey().end() - pair.getValue().get("end").asDouble());
        times += 2;
        nearer += (start < 0.0201 ? 1 : 0) + (end < 0.0201 ? 1 : 0);
        near += (start < 0.1001 ? 1 : 0) + (end < 0.1001 ? 1 : 0);
      }
    }
    System.out.printf(
        "word times of fast: %.1f %% of %d within 0.02 s, %.1f %% within 0.1 s; %.0f ms of"
            + " alignment%n",
        100.0 * nearer / times, times, 100.0 * near / times, align);
    assertThat(times).isGreaterThan(1800);
    assertThat((double) near / times).isGreaterThanOrEqualTo(0.97);
  }

  /** The words that both have, by the longest common subsequence. */
  private static List<Map.Entry<Word, JsonNode>> matched(List<Word> got, List<JsonNode> want) {
    int[][] longest = new int[got.size() + 1][want.size() + 1];
    for (int i = got.size() - 1; i >= 0; i--) {
      for (int j = want.size() - 1; j >= 0; j--) {
        longest[i][j] =
            same(got.get(i), want.get(j))
                ? longest[i + 1][j + 1] + 1
                : Math.max(longest[i + 1][j], longest[i][j + 1]);
      }
    }
    List<Map.Entry<Word, JsonNode>> pairs = new ArrayList<>();
    for (int i = 0, j = 0; i < got.size() && j < want.size(); ) {
      if (same(got.get(i), want.get(j))) {
        pairs.add(Map.entry(got.get(i++), want.get(j++)));
      } else if (longest[i + 1][j] >= longest[i][j + 1]) {
        i++;
      } else {
        j++;
      }
    }
    return pairs;
  }

  private static boolean same(Word got, JsonNode want) {
    return got.text().equals(want.get("word").asText());
  }

  private static List<Word> words(JobResult result) {
    return result.transcription().segments().stream().flatMap(s -> s.words().stream()).toList();
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
    assertThat(golden.encodedAgain).as("doubtful windows with every row").hasPositiveValue();
  }
}
