package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds {@link BeamAttempt} against openai/whisper's BeamSearchDecoder on an invented model. */
class BeamAttemptTest {
  private static final int EOT = 17;
  private static final SlotOptions OPTIONS = new SlotOptions(true, true, 50, new int[0]);

  static Stream<JsonNode> cases() throws IOException {
    try (InputStream in =
        BeamAttemptTest.class.getResourceAsStream("/transcription/beam_cases.json")) {
      List<JsonNode> cases = new ArrayList<>();
      new ObjectMapper().readTree(in).forEach(cases::add);
      return cases.stream();
    }
  }

  @Test
  void casesAreThere() throws IOException {
    assertThat(cases().count()).isGreaterThanOrEqualTo(40);
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("cases")
  void sameSequenceAsTheReference(JsonNode expected) {
    int begin = expected.get("begin").asInt();
    int beam = expected.get("beam_size").asInt();
    FakePort port = new FakePort();
    JsonNode penalty = expected.get("length_penalty");
    BeamAttempt attempt =
        new BeamAttempt(
            port,
            OPTIONS,
            new InitialTokens(new int[begin], 0),
            EOT,
            beam,
            expected.get("patience").asDouble(1.0),
            penalty.isNull() ? null : penalty.asDouble());
    int steps = 0;
    while (!attempt.done()) {
      List<StepRequest> rows = attempt.next(0);
      assertThat(rows).hasSize(attempt.rows());
      attempt.accept(
          port.step(rows, (tokens, row) -> result(expected.get("rows"), tokens, begin, beam + 1)));
      steps++;
    }
    assertThat(steps).isEqualTo(expected.get("steps").asInt());
    assertThat(attempt.best().tokens()).containsExactly(ints(expected.get("tokens")));
    assertThat((double) attempt.best().sumLogprob())
        .isEqualTo(expected.get("sum_logprob").asDouble());
    assertThat(attempt.best().avgLogprob()).isEqualTo(expected.get("avg_logprob").asDouble());
    assertThat(port.open).isEmpty();
    assertThat(port.most).isLessThanOrEqualTo(beam);
  }

  /** What the model says after exactly these tokens; unknown tokens mean a wrong slot. */
  private static StepResult result(JsonNode rows, List<Integer> tokens, int begin, int topK) {
    String key =
        tokens.subList(begin, tokens.size()).stream()
            .map(String::valueOf)
            .collect(Collectors.joining(" "));
    JsonNode row = rows.get(key);
    assertThat(row).as("reference looked at " + key).isNotNull();
    float[] logprobs = new float[topK];
    for (int i = 0; i < topK; i++) {
      logprobs[i] = (float) row.get(1).get(i).asDouble();
    }
    int[] top = ints(row.get(0));
    return new StepResult(top[0], logprobs[0], 0.5f, top, logprobs, 1f);
  }

  @Test
  void slotsAreClosedWhenTheWindowIsAbandoned() {
    FakePort port = new FakePort();
    BeamAttempt attempt =
        new BeamAttempt(port, OPTIONS, new InitialTokens(new int[3], 0), EOT, 3, 1.0, null);
    attempt.accept(port.step(attempt.next(0), (tokens, row) -> top(3)));
    attempt.next(0);
    assertThat(port.open).hasSize(3);
    attempt.close();
    assertThat(port.open).isEmpty();
  }

  @Test
  void fewerCandidatesThanBeamsAreEnough() {
    FakePort port = new FakePort();
    BeamAttempt attempt =
        new BeamAttempt(port, OPTIONS, new InitialTokens(new int[3], 0), EOT, 3, 1.0, null);
    attempt.accept(port.step(attempt.next(0), (tokens, row) -> top(3)));
    // Two of the three beams have nothing that may follow.
    List<StepRequest> rows = attempt.next(0);
    List<StepResult> results = port.step(rows, (tokens, row) -> top(tokens.get(3) == 1 ? 2 : 0));
    attempt.accept(results);
    assertThat(attempt.rows()).isEqualTo(2);
    assertThat(port.open.values()).containsExactly(List.of(0, 0, 0, 1), List.of(0, 0, 0, 1));
    attempt.close();
    assertThat(port.open).isEmpty();
  }

  private static StepResult top(int n) {
    int[] tokens = new int[n];
    float[] logprobs = new float[n];
    for (int i = 0; i < n; i++) {
      tokens[i] = i;
      logprobs[i] = -i - 1;
    }
    return new StepResult(0, -1f, 0.5f, tokens, logprobs, 1f);
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
