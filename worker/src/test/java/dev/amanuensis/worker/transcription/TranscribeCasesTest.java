package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TestOptions;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds {@link Transcription} against openai/whisper's transcribe() run on the same decoder
 * outputs.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TranscribeCasesTest {
  private final Tokenizer tokenizer = TestTokenizer.base();

  Stream<JsonNode> cases() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("/transcription/transcribe_cases.json")) {
      List<JsonNode> cases = new ArrayList<>();
      new ObjectMapper().readTree(in).forEach(cases::add);
      return cases.stream();
    }
  }

  @Test
  void casesCoverTheRules() throws IOException {
    assertThat(cases().count()).isGreaterThanOrEqualTo(60);
    assertThat(cases().filter(c -> c.at("/options/word_timestamps").asBoolean()).count())
        .isGreaterThan(20);
    assertThat(cases().filter(c -> c.at("/options").has("hallucination_silence_threshold")).count())
        .isGreaterThan(10);
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("cases")
  void sameWindowsAndSegmentsAsTheReference(JsonNode expected) throws JobException {
    String name = "seed " + expected.get("seed");
    Transcription job = start(expected);
    for (JsonNode window : expected.get("windows")) {
      feed(job, window, name);
    }
    same(job, expected, name);
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("cases")
  void successorsThatTakeOverBeforeEachWindowDoTheSame(JsonNode expected) throws JobException {
    String name = "seed " + expected.get("seed");
    Transcription job = start(expected);
    for (JsonNode window : expected.get("windows")) {
      if (job.seek() > 0) {
        job.next(); // a worker is lost while a window is out
        job =
            Transcription.resume(
                options(expected.get("options")), tokenizer, samples(expected), job.progress("a"));
      }
      feed(job, window, name);
    }
    same(job, expected, name);
  }

  private Transcription start(JsonNode expected) throws JobException {
    return new Transcription(options(expected.get("options")), tokenizer, samples(expected), null);
  }

  private static long samples(JsonNode expected) {
    return expected.get("frames").asLong() * 160 + 7;
  }

  private static void same(Transcription job, JsonNode expected, String name) {
    assertThat(job.next()).as(name).isEmpty();
    TranscriptionResult result = job.result();
    assertThat(result.text()).as(name).isEqualTo(expected.get("text").asText());
    assertThat(result.segments()).as(name).hasSameSizeAs(expected.get("segments"));
    for (int i = 0; i < result.segments().size(); i++) {
      same(result.segments().get(i), expected.get("segments").get(i), name + " segment " + i);
    }
  }

  private static void feed(Transcription job, JsonNode window, String name) {
    WindowRequest request =
        job.next().orElseThrow(() -> new AssertionError(name + ": ended early"));
    assertThat(request.frames()).as(name).isEqualTo(window.get("frames").asInt());
    assertThat(request.decoding().prompt()).as(name).containsExactly(ints(window.get("prompt")));
    Optional<AlignmentRequest> alignment =
        job.accept(
            new DecodingResult(
                ints(window.get("tokens")),
                "",
                window.get("avg_logprob").asDouble(),
                window.get("no_speech_prob").asDouble(),
                window.get("temperature").asDouble(),
                1.25,
                1,
                1,
                1f));
    assertThat(alignment.isPresent()).as(name).isEqualTo(window.has("align"));
    if (alignment.isPresent()) {
      JsonNode align = window.get("align");
      assertThat(alignment.get().textTokens()).as(name).containsExactly(ints(align.get("text")));
      assertThat(alignment.get().frames()).isEqualTo(request.frames());
      float[] probabilities = new float[align.get("probabilities").size()];
      for (int i = 0; i < probabilities.length; i++) {
        probabilities[i] = (float) align.get("probabilities").get(i).asDouble();
      }
      job.acceptAlignment(ints(align.get("start_frames")), probabilities);
    }
  }

  private static void same(Segment actual, JsonNode expected, String name) {
    assertThat(actual.id()).as(name).isEqualTo(expected.get("id").asInt());
    assertThat(actual.seek()).as(name).isEqualTo(expected.get("seek").asLong());
    assertThat(actual.start()).as(name + " start").isEqualTo(expected.get("start").asDouble());
    assertThat(actual.end()).as(name + " end").isEqualTo(expected.get("end").asDouble());
    assertThat(actual.text()).as(name).isEqualTo(expected.get("text").asText());
    assertThat(TokenList.toArray(actual.tokens()))
        .as(name)
        .containsExactly(ints(expected.get("tokens")));
    assertThat(actual.temperature()).isEqualTo(expected.get("temperature").asDouble());
    assertThat(actual.avgLogprob()).isEqualTo(expected.get("avg_logprob").asDouble());
    assertThat(actual.noSpeechProb()).isEqualTo(expected.get("no_speech_prob").asDouble());
    assertThat(actual.words()).as(name).hasSameSizeAs(expected.get("words"));
    for (int i = 0; i < actual.words().size(); i++) {
      JsonNode word = expected.get("words").get(i);
      assertThat(actual.words().get(i).text()).as(name).isEqualTo(word.get("word").asText());
      assertThat(actual.words().get(i).start()).as(name).isEqualTo(word.get("start").asDouble());
      assertThat(actual.words().get(i).end()).as(name).isEqualTo(word.get("end").asDouble());
      // numpy adds in pairs: the last bit may differ.
      assertThat(actual.words().get(i).probability())
          .as(name)
          .isCloseTo(word.get("probability").asDouble(), within(1e-12));
    }
  }

  private static TranscriptionOptions options(JsonNode o) {
    List<Double> clips = new ArrayList<>();
    o.get("clip_timestamps").forEach(c -> clips.add(c.asDouble()));
    TestOptions options = new TestOptions();
    options.language = o.get("language").asText();
    options.wordTimestamps = o.get("word_timestamps").asBoolean();
    options.initialPrompt = o.get("initial_prompt").textValue();
    options.carryInitialPrompt = o.get("carry_initial_prompt").asBoolean();
    options.noSpeechThreshold = number(o.get("no_speech_threshold"));
    options.logprobThreshold = number(o.get("logprob_threshold"));
    options.conditionOnPreviousText = o.get("condition_on_previous_text").asBoolean();
    options.hallucinationSilenceThreshold = number(o.get("hallucination_silence_threshold"));
    options.clipTimestamps = clips;
    return options.build();
  }

  private static Double number(JsonNode node) {
    return node == null || node.isNull() ? null : node.asDouble();
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
