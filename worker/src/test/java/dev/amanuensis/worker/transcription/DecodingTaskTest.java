package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.worker.job.TestOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DecodingTaskTest {
  private static final int EOT = 50257;
  private static final int ZERO = 50364;
  private static final int[] NONE = {};

  private final Tokenizer tokenizer = TestTokenizer.base();
  private final TestOptions options = new TestOptions();
  private final FakePort port = new FakePort();
  private final List<List<StepRequest>> asked = new ArrayList<>();

  private DecodingTask task(int... prompt) {
    return new DecodingTask(
        new DecodingRequest(options.build(), "en", 1200, prompt, NONE), tokenizer, port);
  }

  private DecodingResult run(
      DecodingTask task, BiFunction<List<Integer>, StepRequest, StepResult> model) {
    while (!task.done()) {
      int rows = task.rows();
      List<StepRequest> requests = task.next(0);
      assertThat(requests).hasSize(rows);
      asked.add(requests);
      task.accept(port.step(requests, model));
      assertThat(port.open.size()).isLessThanOrEqualTo(task.maxSlots());
    }
    assertThat(port.open).as("slots left open").isEmpty();
    return task.result();
  }

  private static StepResult choice(int token, float logprob) {
    return choice(token, logprob, 0.1f);
  }

  private static StepResult choice(int token, float logprob, float noSpeech) {
    return new StepResult(token, logprob, noSpeech, NONE, new float[0], 2f);
  }

  /** A model that says these tokens one after the other, and then the end. */
  private static BiFunction<List<Integer>, StepRequest, StepResult> saying(
      float logprob, int... words) {
    return (tokens, row) -> {
      int said = tokens.size() - tokens.indexOf(50258) - 3;
      return choice(said < words.length ? words[said] : EOT, logprob);
    };
  }

  @Test
  void greedyStopsAtTheEndOfText() {
    DecodingResult result = run(task(), saying(-0.1f, ZERO, 2425, 1002, 50414));
    assertThat(result.tokens()).containsExactly(ZERO, 2425, 1002, 50414);
    assertThat(result.text()).isEqualTo(tokenizer.decode(2425, 1002).strip());
    float sum = 0;
    for (int i = 0; i < 5; i++) {
      sum += -0.1f;
    }
    assertThat(result.avgLogprob()).isEqualTo((double) sum / 5);
    assertThat(result.noSpeechProb()).isEqualTo((double) 0.1f);
    assertThat(result.temperature()).isZero();
    assertThat(result.minMargin()).isEqualTo(2f);
    assertThat(result.steps()).isEqualTo(5);
    assertThat(port.opened).hasSize(1);
    StepRequest first = asked.get(0).get(0);
    assertThat(first.tokens()).containsExactly(50258, 50259, 50359);
    assertThat(first.prompt()).isTrue();
    assertThat(first.noSpeechRow()).isZero();
    StepRequest second = asked.get(1).get(0);
    assertThat(second.tokens()).containsExactly(ZERO);
    assertThat(second.prompt()).isFalse();
    assertThat(second.noSpeechRow()).isEqualTo(-1);
  }

  @Test
  void historyIsCutToItsLast223Tokens() {
    run(task(IntStream.range(1000, 1300).toArray()), saying(-0.1f));
    int[] tokens = asked.get(0).get(0).tokens();
    assertThat(tokens).hasSize(1 + 223 + 3).startsWith(50361, 1077).endsWith(50258, 50259, 50359);
    assertThat(tokens[223]).isEqualTo(1299);
    assertThat(asked.get(0).get(0).noSpeechRow()).isEqualTo(224);
  }

  @Test
  void prefixFollowsTheStartOfTheTranscript() {
    options.withoutTimestamps = true;
    DecodingRequest request =
        new DecodingRequest(options.build(), "fr", 0, new int[] {7}, new int[] {8, 9});
    InitialTokens initial = InitialTokens.of(request, tokenizer);
    assertThat(initial.tokens()).containsExactly(50361, 7, 50258, 50265, 50359, 50363, 8, 9);
    assertThat(initial.sotIndex()).isEqualTo(2);
  }

  @Test
  void longestHistoryAndPrefixLeaveRoomToSample() {
    int[] many = new int[1000];
    options.withoutTimestamps = true;
    InitialTokens initial =
        InitialTokens.of(new DecodingRequest(options.build(), "fr", 0, many, many), tokenizer);
    assertThat(initial.tokens().length).isEqualTo(447);
  }

  @Test
  void filtersFollowTheOptions() {
    run(task(), saying(-0.1f));
    assertThat(port.opened.get(0).timestamps()).isTrue();
    assertThat(port.opened.get(0).suppressBlank()).isTrue();
    assertThat(port.opened.get(0).maxInitialTimestamp()).isEqualTo(50);
    assertThat(port.opened.get(0).suppress()).hasSize(88);
    for (Double off : Arrays.asList(null, 0.0, 31.0)) {
      options.maxInitialTimestamp = off;
      options.withoutTimestamps = true;
      run(task(), (tokens, row) -> choice(EOT, -0.1f));
      SlotOptions last = port.opened.get(port.opened.size() - 1);
      assertThat(last.maxInitialTimestamp()).isEqualTo(-1);
      assertThat(last.timestamps()).isFalse();
    }
  }

  @Test
  void improbableTextIsTriedAgainAtTheNextTemperature() {
    options.temperatures = List.of(0f, 0.2f, 0.4f);
    DecodingResult result =
        run(
            task(),
            (tokens, row) ->
                saying(row.temperature() > 0.3 ? -0.9f : -1.1f, ZERO, 2425).apply(tokens, row));
    assertThat(result.temperature()).isEqualTo(0.4);
    assertThat(result.attempts()).isEqualTo(3);
    assertThat(result.steps()).isEqualTo(9);
    assertThat(port.opened).hasSize(3);
    assertThat(asked.get(0).get(0).temperature()).isEqualTo(0f);
    assertThat(asked.get(3).get(0).temperature()).isEqualTo(0.2f);
    assertThat(asked.get(3).get(0).prompt()).isTrue();
  }

  @Test
  void repetitionIsTriedAgain() {
    options.temperatures = List.of(0f, 0.2f);
    int[] loop = new int[100];
    Arrays.fill(loop, 2425);
    DecodingResult result =
        run(
            task(),
            (tokens, row) ->
                saying(-0.1f, row.temperature() > 0 ? new int[] {2425} : loop).apply(tokens, row));
    assertThat(result.temperature()).isEqualTo(0.2);
    assertThat(result.compressionRatio()).isLessThan(2.4);
  }

  @Test
  void lastTemperatureIsTakenWhenAllFail() {
    DecodingResult result = run(task(), saying(-3f, ZERO, 2425));
    assertThat(result.attempts()).isEqualTo(6);
    assertThat(result.temperature()).isEqualTo(1.0);
  }

  @Test
  void silenceIsNotTriedAgain() {
    DecodingResult result =
        run(task(), (tokens, row) -> choice(tokens.size() > 5 ? EOT : ZERO, -3f, 0.61f));
    assertThat(result.attempts()).isEqualTo(1);
    options.noSpeechThreshold = null;
    assertThat(
            run(task(), (tokens, row) -> choice(tokens.size() > 5 ? EOT : ZERO, -3f, 0.61f))
                .attempts())
        .isEqualTo(6);
  }

  @Test
  void thresholdsCanBeOff() {
    options.logprobThreshold = null;
    options.compressionRatioThreshold = null;
    int[] loop = new int[100];
    Arrays.fill(loop, 2425);
    assertThat(run(task(), saying(-3f, loop)).attempts()).isEqualTo(1);
  }

  @Test
  void samplesShareThePromptAndTheBestIsKept() {
    options.temperatures = List.of(0.5f);
    options.bestOf = 3;
    float[] logprobs = {-0.9f, -0.3f, -0.5f};
    DecodingTask task = task(5, 6);
    assertThat(task.maxSlots()).isEqualTo(3);
    DecodingResult result =
        run(
            task,
            (tokens, row) -> {
              if (tokens.size() < 6) {
                return choice(EOT, -9f, 0.25f);
              }
              int sample = row.slot() - port.firstSlot();
              boolean end = tokens.size() > 6 + sample;
              return choice(end ? EOT : 2425 + sample, logprobs[sample], Float.NaN);
            });
    assertThat(asked.get(0)).hasSize(1);
    assertThat(asked.get(0).get(0).tokens()).containsExactly(50361, 5, 6, 50258, 50259);
    assertThat(asked.get(0).get(0).noSpeechRow()).isEqualTo(3);
    assertThat(asked.get(1)).hasSize(3);
    for (StepRequest row : asked.get(1)) {
      assertThat(row.tokens()).containsExactly(50359);
      assertThat(row.prompt()).isTrue();
      assertThat(row.temperature()).isEqualTo(0.5f);
    }
    assertThat(asked.get(1).stream().map(StepRequest::uniform).distinct()).hasSize(3);
    assertThat(asked.get(2)).hasSize(3);
    assertThat(asked.get(3)).as("the first sample has ended").hasSize(2);
    assertThat(result.tokens()).containsExactly(2426, 2426);
    assertThat(result.noSpeechProb()).isEqualTo(0.25);
    assertThat(port.opened).hasSize(1);
    assertThat(port.most).isEqualTo(3);
  }

  @Test
  void randomNumbersDependOnlyOnSeedWindowAndSample() {
    options.temperatures = List.of(0.5f);
    List<Double> first = uniforms(1200);
    assertThat(first).hasSize(10).doesNotHaveDuplicates();
    assertThat(first).allMatch(u -> u >= 0 && u < 1);
    assertThat(uniforms(1200)).isEqualTo(first);
    assertThat(uniforms(1201)).isNotEqualTo(first);
    options.seed = 1;
    assertThat(uniforms(1200)).isNotEqualTo(first);
  }

  private List<Double> uniforms(long seek) {
    asked.clear();
    run(
        new DecodingTask(
            new DecodingRequest(options.build(), "en", seek, NONE, NONE), tokenizer, port),
        saying(-0.1f, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    return asked.stream().map(rows -> rows.get(0).uniform()).toList();
  }

  @Test
  void stopsAfter224Tokens() {
    options.temperatures = List.of(0f);
    DecodingResult result = run(task(), (tokens, row) -> choice(2425, -0.1f));
    assertThat(result.tokens()).hasSize(224);
    assertThat(asked).hasSize(224);
  }

  @Test
  void stopsWhenTheContextIsFull() {
    options.temperatures = List.of(0f);
    DecodingResult result = run(task(new int[300]), (tokens, row) -> choice(2425, -0.1f));
    assertThat(result.tokens()).hasSize(448 - 227 + 1);
  }

  @Test
  void beamsAreForTemperatureZeroOnly() {
    options.beamSize = 5;
    options.bestOf = 2;
    options.temperatures = List.of(0f, 0.2f);
    DecodingTask task = task();
    assertThat(task.maxSlots()).isEqualTo(5);
    DecodingResult result =
        run(
            task,
            (tokens, row) -> {
              if (row.topK() == 0) {
                return choice(tokens.size() > 5 ? EOT : 2425, -0.1f);
              }
              assertThat(row.topK()).isEqualTo(6);
              int[] top = {2425, 2426, 2427, EOT, 2428, 2429};
              float[] logprobs = {-3, -3.1f, -3.2f, -3.3f, -3.4f, -3.5f};
              return new StepResult(2425, -3f, 0.1f, top, logprobs, 1f);
            });
    assertThat(result.temperature()).isEqualTo(0.2);
    assertThat(asked.get(0)).hasSize(1);
    assertThat(asked.get(1)).hasSize(5);
    assertThat(port.most).isEqualTo(5);
    assertThat(asked.get(asked.size() - 1)).hasSize(2);
  }

  @Test
  void lengthPenaltyChangesTheRank() {
    List<Attempt.Sequence> sequences =
        List.of(
            new Attempt.Sequence(new int[2], -2.0f),
            new Attempt.Sequence(new int[8], -7.0f),
            new Attempt.Sequence(new int[8], -7.0f));
    assertThat(Attempt.Sequence.bestOf(sequences, null)).isEqualTo(1);
    assertThat(Attempt.Sequence.bestOf(sequences, 0.6)).isEqualTo(0);
  }

  @Test
  void abandonedWindowClosesItsSlots() {
    options.temperatures = List.of(0.5f);
    options.bestOf = 4;
    try (DecodingTask task = task()) {
      task.accept(port.step(task.next(0), (tokens, row) -> choice(1, -1f)));
      task.next(0);
      assertThat(port.open).hasSize(4);
    }
    assertThat(port.open).isEmpty();
  }

  @Test
  void wrongOrderOfCallsIsAnError() {
    DecodingTask task = task();
    assertThatThrownBy(() -> task.accept(List.of())).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(task::result).isInstanceOf(IllegalStateException.class);
    task.next(0);
    assertThatThrownBy(() -> task.next(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> task.accept(List.of())).isInstanceOf(IllegalStateException.class);
    task.close();
  }

  @Test
  void theOnlyAttemptSaysWhetherItFails() {
    options.temperatures = List.of(0f, 0.4f);
    DecodingRequest request = new DecodingRequest(options.build(), "en", 0, NONE, NONE);
    DecodingTask once = new DecodingTask(request, tokenizer, port, 1);
    assertThat(run(once, saying(-3f, ZERO, 2425, 50414)).temperature()).isZero();
    assertThat(once.failed()).isTrue();
    DecodingTask good = new DecodingTask(request, tokenizer, port, 1);
    run(good, saying(-0.1f, ZERO, 2425, 50414));
    assertThat(good.failed()).isFalse();
  }
}
