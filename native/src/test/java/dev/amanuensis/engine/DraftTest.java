package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DraftTest {
  private static final int[] PROMPT = {Jfk.SOT, Jfk.EN, Jfk.TRANSCRIBE};
  private static final int EOT = 50257;

  /** What a sequence says, and the bits of log-probabilities and margins. */
  private record Said(List<Integer> tokens, List<Integer> bits, int steps, float noSpeech) {}

  /**
   * @param guess tokens for the step after so many chosen ones
   */
  private static Said decode(DecoderBatch decoder, NativeBuffer kv, IntFunction<int[]> guess) {
    List<Integer> tokens = new ArrayList<>();
    List<Integer> bits = new ArrayList<>();
    float noSpeech = Float.NaN;
    int made = 0;
    try (StepBatch steps = decoder.newSteps()) {
      int slot = decoder.openSlot(kv, Sequence.OPTIONS);
      while (tokens.isEmpty() || tokens.get(tokens.size() - 1) != EOT) {
        steps.clear();
        int step =
            tokens.isEmpty()
                ? steps.addPrompt(slot, PROMPT)
                : steps.add(slot, tokens.get(tokens.size() - 1));
        if (tokens.isEmpty()) {
          steps.noSpeechRow(step, 0);
        }
        int[] draft = guess.apply(tokens.size());
        steps.draft(step, draft);
        decoder.step(steps);
        if (tokens.isEmpty()) {
          noSpeech = steps.noSpeechProbability(step);
        }
        for (int i = 0; i < steps.confirmed(step); i++) {
          tokens.add(draft[i]);
          bits.add(Float.floatToRawIntBits(steps.confirmedLogprob(step, i)));
          bits.add(Float.floatToRawIntBits(steps.confirmedMargin(step, i)));
        }
        tokens.add(steps.token(step));
        bits.add(Float.floatToRawIntBits(steps.logprob(step)));
        bits.add(Float.floatToRawIntBits(steps.margin(step)));
        made++;
      }
      decoder.closeSlot(slot);
    }
    return new Said(tokens, bits, made, noSpeech);
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void draftsChangeNoBitWhetherRightOrWrong(Profile profile) {
    try (Jfk jfk = new Jfk(profile);
        NativeBuffer kv = jfk.crossKv();
        DecoderBatch decoder = jfk.engine.newDecoder(2, 2)) {
      Said plain = decode(decoder, kv, at -> new int[0]);
      int[] text = plain.tokens.stream().mapToInt(Integer::intValue).toArray();
      for (int length = 1; length <= StepBatch.MAX_DRAFT; length++) {
        int most = length;
        IntFunction<int[]> right =
            at -> Arrays.copyOfRange(text, at, Math.max(at, Math.min(text.length - 1, at + most)));
        Said drafted = decode(decoder, kv, right);
        assertThat(drafted.tokens).isEqualTo(plain.tokens);
        assertThat(drafted.bits).isEqualTo(plain.bits);
        assertThat(drafted.noSpeech).isEqualTo(plain.noSpeech);
        assertThat(drafted.steps).isEqualTo((text.length + most) / (most + 1));

        IntFunction<int[]> lastWrong =
            at -> {
              int[] draft = right.apply(at);
              if (draft.length > 0) {
                draft[draft.length - 1] = draft[draft.length - 1] == 291 ? 428 : 291;
              }
              return draft;
            };
        Said corrected = decode(decoder, kv, lastWrong);
        assertThat(corrected.tokens).isEqualTo(plain.tokens);
        assertThat(corrected.bits).isEqualTo(plain.bits);
      }
      DecoderStats stats = decoder.stats();
      assertThat(stats.confirmed()).isPositive().isLessThan(stats.drafted());
    }
  }

  @Test
  void draftThatCantBeHeldToChoicesIsRefused() {
    try (Jfk jfk = new Jfk(Profile.FAST);
        NativeBuffer kv = jfk.crossKv();
        DecoderBatch decoder = jfk.engine.newDecoder(1, 1);
        StepBatch steps = decoder.newSteps()) {
      int slot = decoder.openSlot(kv, Sequence.OPTIONS);
      for (int token : new int[] {EOT, -1, 1 << 20}) {
        steps.clear();
        steps.draft(steps.addPrompt(slot, PROMPT), new int[] {token});
        refused(decoder, steps);
      }
      steps.clear();
      steps.sample(steps.addPrompt(slot, PROMPT), 0.5f, 0.5);
      steps.draft(0, new int[] {50364});
      refused(decoder, steps);
      steps.clear();
      steps.topK(steps.addPrompt(slot, PROMPT), 5);
      steps.draft(0, new int[] {50364});
      refused(decoder, steps);
      assertThatThrownBy(() -> steps.draft(0, new int[StepBatch.MAX_DRAFT + 1]))
          .isInstanceOf(IllegalArgumentException.class);

      steps.clear();
      steps.addPrompt(slot, PROMPT);
      decoder.step(steps);
      assertThat(steps.token(0)).isEqualTo(50364);
      assertThat(steps.confirmed(0)).isZero();
    }
  }

  private static void refused(DecoderBatch decoder, StepBatch steps) {
    assertThatThrownBy(() -> decoder.step(steps))
        .isInstanceOf(EngineException.class)
        .extracting(e -> ((EngineException) e).status())
        .isEqualTo(EngineStatus.INVALID_ARGUMENT);
  }
}
