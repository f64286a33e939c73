package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TestOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Feeds {@link Transcription} the tokens of the golden transcriptions, window by window, and
 * expects their segments, texts, times and seek points.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GoldenReplayTest {
  private final Tokenizer tokenizer = TestTokenizer.base();
  private final int zero = tokenizer.timestampBegin();

  Stream<Map.Entry<String, JsonNode>> files() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("/golden/transcripts.json")) {
      List<Map.Entry<String, JsonNode>> files = new ArrayList<>();
      files.addAll(new ObjectMapper().readTree(in).properties());
      return files.stream();
    }
  }

  @Test
  void allFilesAreThere() throws IOException {
    assertThat(files().count()).isEqualTo(22);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void segmentsAreThoseOfTheReference(Map.Entry<String, JsonNode> file) throws JobException {
    JsonNode plain = file.getValue().get("plain");
    TestOptions options = new TestOptions();
    options.language = plain.get("language").asText();
    Transcription job =
        new Transcription(
            options.build(), tokenizer, file.getValue().get("samples").asLong(), null);
    TreeMap<Long, List<JsonNode>> windows = new TreeMap<>();
    for (JsonNode segment : plain.get("segments")) {
      windows.computeIfAbsent(segment.get("seek").asLong(), k -> new ArrayList<>()).add(segment);
    }
    while (job.next().isPresent()) {
      WindowRequest window = job.next().get();
      List<JsonNode> segments = windows.remove(window.seek());
      job.accept(segments == null ? silence() : decoded(segments, window, windows));
    }
    assertThat(windows).as("windows that were not asked for").isEmpty();
    same(job.result(), plain);
  }

  private static DecodingResult silence() {
    return new DecodingResult(new int[0], "", -2.0, 0.9, 0, 1, 1, 1, 1f);
  }

  /** The window's tokens: those of its segments, and the pair that opened a discarded one. */
  private DecodingResult decoded(
      List<JsonNode> segments, WindowRequest window, TreeMap<Long, List<JsonNode>> later) {
    TokenList tokens = new TokenList();
    for (JsonNode segment : segments) {
      tokens.addAll(ints(segment.get("tokens")));
    }
    int[] all = tokens.from(0);
    int last = all[all.length - 1];
    boolean complete = true;
    if (last >= zero && later.containsKey(window.seek() + (last - zero) * 2L)) {
      tokens.addAll(new int[] {last});
      complete = false;
    }
    JsonNode first = segments.get(0);
    String text = PythonText.strip(tokenizer.decode(all));
    double ratio = first.get("compression_ratio").asDouble();
    if (complete) {
      assertThat(CompressionRatio.of(text)).isCloseTo(ratio, within(1e-6));
    }
    return new DecodingResult(
        tokens.from(0),
        text,
        first.get("avg_logprob").asDouble(),
        first.get("no_speech_prob").asDouble(),
        first.get("temperature").asDouble(),
        ratio,
        1,
        1,
        1f);
  }

  private static void same(TranscriptionResult actual, JsonNode expected) {
    assertThat(actual.text()).isEqualTo(expected.get("text").asText());
    assertThat(actual.segments()).hasSameSizeAs(expected.get("segments"));
    Iterator<JsonNode> segments = expected.get("segments").iterator();
    for (Segment segment : actual.segments()) {
      JsonNode golden = segments.next();
      assertThat(segment.seek()).isEqualTo(golden.get("seek").asLong());
      assertThat(segment.start()).isCloseTo(golden.get("start").asDouble(), within(1e-9));
      assertThat(segment.end()).isCloseTo(golden.get("end").asDouble(), within(1e-9));
      assertThat(segment.text()).isEqualTo(golden.get("text").asText());
      assertThat(TokenList.toArray(segment.tokens())).containsExactly(ints(golden.get("tokens")));
    }
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
