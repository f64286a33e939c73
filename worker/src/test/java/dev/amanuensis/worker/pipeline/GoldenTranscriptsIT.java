package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionResult;
import dev.amanuensis.worker.job.Word;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * All test speech at once through the pipeline equals openai/whisper's transcripts, token by token.
 */
class GoldenTranscriptsIT {
  private static Golden golden;

  @BeforeAll
  static void open() throws Exception {
    golden = new Golden(Profile.REFERENCE);
  }

  @AfterAll
  static void close() {
    golden.close();
  }

  @Test
  void plainTranscriptsAreTokenExact() throws Exception {
    Map<String, CompletableFuture<JobResult>> results = submitAll(false);
    for (var entry : results.entrySet()) {
      TranscriptionResult actual = transcription(entry.getKey(), entry.getValue());
      assertSegments(entry.getKey(), actual, golden.transcripts.get(entry.getKey()).get("plain"));
    }
  }

  @Test
  void wordsAreEqualAndTheirTimesWithinTwentyMilliseconds() throws Exception {
    Map<String, CompletableFuture<JobResult>> results = submitAll(true);
    int words = 0;
    int near = 0;
    for (var entry : results.entrySet()) {
      TranscriptionResult actual = transcription(entry.getKey(), entry.getValue());
      JsonNode expected = golden.transcripts.get(entry.getKey()).get("words");
      assertSegments(entry.getKey(), actual, expected);
      for (int s = 0; s < actual.segments().size(); s++) {
        List<Word> got = actual.segments().get(s).words();
        JsonNode want = expected.get("segments").get(s).get("words");
        assertThat(got).extracting(Word::text).isEqualTo(texts(want));
        for (int w = 0; w < got.size(); w++) {
          words++;
          boolean start =
              Math.abs(got.get(w).start() - want.get(w).get("start").asDouble()) < 0.0201;
          boolean end = Math.abs(got.get(w).end() - want.get(w).get("end").asDouble()) < 0.0201;
          near += start && end ? 1 : 0;
          assertThat(got.get(w).probability())
              .isCloseTo(want.get(w).get("probability").asDouble(), within(2e-3));
        }
      }
    }
    System.out.printf("words: %d of %d have both times within 0.02 s%n", near, words);
    assertThat(words).isGreaterThan(500);
    assertThat(near).isGreaterThanOrEqualTo((int) Math.ceil(0.99 * words));
  }

  @Test
  void copiesOfAudioStayWithinThreePerWindowAndBuffersReturn() throws Exception {
    for (String file : List.of("jfk.wav", "librispeech/103-1240-0000.flac", "long.flac")) {
      JobResult result = golden.submit(file, false).get(10, TimeUnit.MINUTES);
      // PCM, log-mel, encoder states.
      assertThat(result.timings().get("copies_per_window")).as(file).isLessThanOrEqualTo(3.0);
      assertThat(result.timings().get("copied_bytes")).as(file).isGreaterThan(4_000_000.0);
    }
    assertThat(golden.buffers.statistics().of(Pool.MEL).inUse()).isZero();
    assertThat(golden.buffers.statistics().of(Pool.ENCODER).inUse()).isZero();
  }

  private static Map<String, CompletableFuture<JobResult>> submitAll(boolean words)
      throws Exception {
    Map<String, CompletableFuture<JobResult>> results = new LinkedHashMap<>();
    for (String file : golden.files()) {
      results.put(file, golden.submit(file, words));
    }
    return results;
  }

  private static TranscriptionResult transcription(String file, CompletableFuture<JobResult> future)
      throws Exception {
    JobResult result = future.get(10, TimeUnit.MINUTES);
    assertThat(result.status())
        .as("%s: %s", file, result.errorMessage())
        .isEqualTo(JobResult.Status.COMPLETED);
    return result.transcription();
  }

  private static void assertSegments(String file, TranscriptionResult actual, JsonNode expected) {
    assertThat(actual.language()).as(file).isEqualTo(expected.get("language").asText());
    assertThat(actual.text()).as(file).isEqualTo(expected.get("text").asText());
    JsonNode segments = expected.get("segments");
    assertThat(actual.segments()).as(file).hasSize(segments.size());
    for (int i = 0; i < segments.size(); i++) {
      Segment got = actual.segments().get(i);
      JsonNode want = segments.get(i);
      String where = file + " segment " + i;
      assertThat(got.tokens()).as(where).isEqualTo(ints(want.get("tokens")));
      assertThat(got.seek()).as(where).isEqualTo(want.get("seek").asLong());
      assertThat(got.start()).as(where).isCloseTo(want.get("start").asDouble(), within(0.0051));
      assertThat(got.end()).as(where).isCloseTo(want.get("end").asDouble(), within(0.0051));
      assertThat(got.avgLogprob()).isCloseTo(want.get("avg_logprob").asDouble(), within(1e-4));
      assertThat(got.noSpeechProb()).isCloseTo(want.get("no_speech_prob").asDouble(), within(1e-4));
      assertThat(got.compressionRatio())
          .isCloseTo(want.get("compression_ratio").asDouble(), within(1e-6));
    }
  }

  private static List<Integer> ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asInt).toList();
  }

  private static List<String> texts(JsonNode words) {
    return StreamSupport.stream(words.spliterator(), false)
        .map(w -> w.get("word").asText())
        .toList();
  }
}
