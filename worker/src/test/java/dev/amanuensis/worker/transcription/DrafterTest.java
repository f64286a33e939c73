package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.job.TestOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DrafterTest {
  private static final int EOT = 50257;
  private static final int ZERO = 50364;
  private static final int[] NONE = {};

  private final Tokenizer tokenizer = TestTokenizer.base();
  private final TestOptions options = new TestOptions();
  private final FakePort port = new FakePort();

  private Drafter drafter(int[] before, int... rest) {
    return new Drafter(new Expected(before, rest), tokenizer, true);
  }

  @Test
  void windowBeginsAtZeroWithWhatTheLastOneLeftUnfinished() {
    Drafter drafter = drafter(new int[] {1, 2, 3, 4}, 5, 6, 7);
    assertThat(drafter.next(NONE, 0, 8)).containsExactly(ZERO, 5, 6, 7);
    assertThat(drafter.next(NONE, 0, 2)).containsExactly(ZERO, 5);
    assertThat(drafter.next(NONE, 0, 0)).isEmpty();
    int[] followed = {ZERO, 5, 6};
    assertThat(drafter.next(followed, 3, 8)).containsExactly(7);
  }

  @Test
  void timestampThatClosesASegmentOpensTheNext() {
    int[] said = {ZERO, 400, 370, ZERO + 100, ZERO + 100};
    assertThat(drafter(NONE).next(said, 4, 8)).containsExactly(ZERO + 100);
    assertThat(drafter(NONE).next(said, 5, 8)).isEmpty();
    assertThat(drafter(NONE).next(said, 3, 8)).isEmpty();
  }

  @Test
  void nothingIsGuessedWithoutTimestampsAndRepetition() {
    Drafter drafter = new Drafter(Expected.NOTHING, tokenizer, false);
    assertThat(drafter.next(NONE, 0, 8)).isEmpty();
    assertThat(drafter.next(new int[] {1, 2, 3, 4}, 4, 8)).isEmpty();
  }

  @Test
  void lastPlaceOfTheLongestMatchIsContinued() {
    int[] before = {1, 2, 3, 4, 5, 9, 2, 3, 4, 6, 9, 2, 3, 4, 7, 9};
    assertThat(drafter(before).next(new int[] {ZERO, 2, 3, 4}, 4, 2)).containsExactly(7, 9);
    assertThat(drafter(before).next(new int[] {ZERO, 1, 2, 3, 4}, 5, 2)).containsExactly(5, 9);
    assertThat(drafter(before).next(new int[] {ZERO, 8, 3, 4}, 4, 2)).isEmpty();
  }

  @Test
  void repetitionWithinTheWindowIsContinued() {
    int[] said = {ZERO, 11, 12, 13, 14, 15, 11, 12, 13};
    assertThat(drafter(NONE).next(said, 9, 3)).containsExactly(14, 15, 11);
  }

  /** The text that the model gives, whatever it is given as a draft. */
  private DecodingResult decode(int[] text, Expected expected, int mostDraft) {
    options.temperatures = List.of(0f);
    int[] prompt = IntStream.range(1000, 1300).toArray();
    DecodingTask task =
        new DecodingTask(
            new DecodingRequest(options.build(), "en", 0, prompt, NONE, expected), tokenizer, port);
    while (!task.done()) {
      task.accept(
          port.step(
              task.next(mostDraft),
              (tokens, row) -> {
                int said = tokens.size() - tokens.indexOf(50258) - 3;
                int token = said < text.length ? text[said] : EOT;
                float[] none = {};
                return new StepResult(token, -0.1f - said / 64f, 0.1f, NONE, none, 2f + said % 7);
              }));
    }
    assertThat(port.open).isEmpty();
    return task.result();
  }

  @Test
  void draftsChangeNothingButTheNumberOfSteps() {
    List<Integer> words = new ArrayList<>(List.of(ZERO));
    for (int i = 0; i < 60; i++) {
      words.add(400 + i % 20 + (i == 50 ? 1 : 0));
      if (i % 9 == 8) {
        words.add(ZERO + 10 * i);
        words.add(ZERO + 10 * i + i % 2);
      }
    }
    Expected expected = new Expected(new int[] {400, 401, 402, 7}, new int[] {400, 401, 402, 9});
    for (int end : new int[] {0, 1, 2, 11, 30, words.size()}) {
      int[] text = TokenList.toArray(words.subList(0, end));
      DecodingResult plain = decode(text, expected, 0);
      for (int most = 1; most <= 8; most++) {
        DecodingResult drafted = decode(text, expected, most);
        assertThat(drafted).usingRecursiveComparison().ignoringFields("steps").isEqualTo(plain);
        assertThat(drafted.steps()).isLessThanOrEqualTo(plain.steps());
      }
    }
    int[] whole = TokenList.toArray(words);
    assertThat(decode(whole, expected, 8).steps())
        .isLessThan(2 * decode(whole, expected, 0).steps() / 3);
  }

  @Test
  void draftsEndWhereTheContextDoes() {
    int[] endless = new int[500];
    DecodingResult plain = decode(endless, Expected.NOTHING, 0);
    DecodingResult drafted = decode(endless, Expected.NOTHING, 8);
    assertThat(plain.tokens()).hasSize(448 - 227 + 1);
    assertThat(drafted).usingRecursiveComparison().ignoringFields("steps").isEqualTo(plain);
  }
}
