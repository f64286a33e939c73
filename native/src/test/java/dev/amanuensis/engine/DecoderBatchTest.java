package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class DecoderBatchTest {
  /** What openai/whisper decodes from jfk.wav, greedy, fp32. */
  private static final int[] TOKENS = {
    50364, 400, 370, 452, 7177, 6280, 1029, 406, 437, 428, 1941, 393, 360, 337, 291, 11, 50744,
    50744, 1029, 437, 291, 393, 360, 337, 428, 1941, 13, 50894
  };

  private static final double AVERAGE_LOGPROB = -0.396634;
  private static final double NO_SPEECH = 0.092069;
  private static final int[] PROMPT = {Jfk.SOT, Jfk.EN, Jfk.TRANSCRIBE};

  private static Jfk jfk;
  private static NativeBuffer crossKv;

  @BeforeAll
  static void encode() {
    jfk = new Jfk();
    crossKv = jfk.crossKv();
  }

  @AfterAll
  static void close() {
    crossKv.close();
    jfk.close();
  }

  @Test
  void greedyTokensEqualOpenAiWhisper() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1)) {
      Sequence sequence = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(sequence), 60);

      assertThat(sequence.tokens).containsExactly(withEot());
      assertThat(sequence.logprob() / (TOKENS.length + 1)).isCloseTo(AVERAGE_LOGPROB, within(1e-4));
      assertThat(sequence.noSpeech).isCloseTo((float) NO_SPEECH, within(1e-4f));
    }
  }

  @Test
  void sequenceHasTheSameBitsAloneAndAmongFifteenOthers() {
    Sequence alone;
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1)) {
      alone = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(alone), 40);
    }
    for (int place : new int[] {0, 7, 15}) {
      for (int threads : new int[] {1, 2}) {
        try (DecoderBatch decoder = jfk.engine.newDecoder(16, threads)) {
          List<Sequence> sequences = new ArrayList<>();
          for (int i = 0; i < 16; i++) {
            sequences.add(
                new Sequence(decoder, crossKv, i == place ? PROMPT : Sequence.otherPrompt(i)));
          }
          Sequence.decode(decoder, sequences, 40);
          Sequence among = sequences.get(place);
          assertThat(among.tokens).isEqualTo(alone.tokens);
          assertThat(among.bits).as("at place %d", place).isEqualTo(alone.bits);
          assertThat(among.noSpeech).isEqualTo(alone.noSpeech);
        }
      }
    }
  }

  @Test
  void promptInOneStepEqualsPromptTokenByToken() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(2, 1);
        StepBatch steps = decoder.newSteps();
        NativeBuffer whole = NativeBuffer.allocate(4L * jfk.info.vocabulary());
        NativeBuffer single = NativeBuffer.allocate(4L * jfk.info.vocabulary())) {
      int a = decoder.openSlot(crossKv, Sequence.OPTIONS);
      steps.rawLogits(steps.addPrompt(a, PROMPT), whole);
      decoder.step(steps);
      int b = decoder.openSlot(crossKv, Sequence.OPTIONS);
      for (int token : PROMPT) {
        steps.clear();
        steps.rawLogits(steps.add(b, token), single);
        decoder.step(steps);
      }
      assertThat(whole.bytes().mismatch(single.bytes())).isEqualTo(-1);
    }
  }

  @Test
  void forkContinuesLikeItsSource() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(2, 1)) {
      Sequence source = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(source), 10);
      Sequence fork = source.fork(decoder.forkSlot(source.slot));
      Sequence.decode(decoder, List.of(source, fork), 50);

      assertThat(source.tokens).containsExactly(withEot());
      assertThat(fork.tokens).isEqualTo(source.tokens);
      assertThat(fork.bits).isEqualTo(source.bits);
    }
  }

  @Test
  void reorderedSlotsContinueWhatTheirSourceWas() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(3, 1);
        StepBatch steps = decoder.newSteps()) {
      Sequence best = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(best), 6);
      int[] slots = {best.slot, decoder.forkSlot(best.slot), decoder.forkSlot(best.slot)};
      int next = best.tokens.get(best.tokens.size() - 1);
      int[] different = {next, 1029, 437};
      steps.clear();
      for (int i = 0; i < 3; i++) {
        steps.add(slots[i], different[i]);
      }
      decoder.step(steps);
      int expected = steps.token(0);
      float logprob = steps.logprob(0);

      decoder.reorder(slots, new int[] {2, 0, 0});
      steps.clear();
      for (int slot : slots) {
        steps.add(slot, expected);
      }
      decoder.step(steps);

      assertThat(logprob).isNegative();
      assertThat(steps.token(1)).isEqualTo(steps.token(2));
      assertThat(steps.logprob(1)).isEqualTo(steps.logprob(2));
      assertThat(steps.token(1)).isEqualTo(TOKENS[7]);
      assertThat(steps.logprob(0)).isNotEqualTo(steps.logprob(1));
    }
  }

  @Test
  void candidatesAreSortedAndBeginWithTheChoice() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1);
        StepBatch steps = decoder.newSteps()) {
      int slot = decoder.openSlot(crossKv, Sequence.OPTIONS);
      int index = steps.addPrompt(slot, PROMPT);
      steps.topK(index, 6);
      decoder.step(steps);

      assertThat(steps.candidates(index)).isEqualTo(6);
      assertThat(steps.candidateToken(index, 0)).isEqualTo(steps.token(index)).isEqualTo(50364);
      assertThat(steps.candidateLogprob(index, 0)).isEqualTo(steps.logprob(index));
      for (int rank = 1; rank < 6; rank++) {
        assertThat(steps.candidateLogprob(index, rank))
            .isLessThanOrEqualTo(steps.candidateLogprob(index, rank - 1));
        // The first token must be a timestamp of at most 1.0 s.
        assertThat(steps.candidateToken(index, rank)).isBetween(50364, 50414);
      }
      assertThat(steps.margin(index))
          .isCloseTo(
              steps.candidateLogprob(index, 0) - steps.candidateLogprob(index, 1), within(1e-4f));
    }
  }

  @Test
  void sampleFollowsTheRandomNumber() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1);
        StepBatch steps = decoder.newSteps()) {
      List<Integer> first = samples(decoder, steps);
      assertThat(samples(decoder, steps)).isEqualTo(first);
      assertThat(first).doesNotHaveDuplicates().hasSizeGreaterThan(1);
    }
  }

  /** First tokens at temperature 1 for rising random numbers, without repetitions in a row. */
  private static List<Integer> samples(DecoderBatch decoder, StepBatch steps) {
    List<Integer> tokens = new ArrayList<>();
    for (double uniform : new double[] {0.0, 0.25, 0.5, 0.75, 0.999999}) {
      int slot = decoder.openSlot(crossKv, Sequence.OPTIONS);
      steps.clear();
      steps.sample(steps.addPrompt(slot, PROMPT), 1f, uniform);
      decoder.step(steps);
      if (tokens.isEmpty() || tokens.get(tokens.size() - 1) != steps.token(0)) {
        tokens.add(steps.token(0));
      }
      decoder.closeSlot(slot);
    }
    return tokens;
  }

  @Test
  void detectsEnglish() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1)) {
      float[] probabilities = decoder.detectLanguage(crossKv);

      assertThat(probabilities).hasSize(99);
      double sum = 0;
      for (float p : probabilities) {
        sum += p;
      }
      assertThat(sum).isCloseTo(1.0, within(1e-4));
      assertThat(probabilities[0]).isGreaterThan(0.9f);
    }
  }

  /** openai/whisper's own bound: "Americans" covers 1.8 s. */
  @Test
  void alignsAmericansWhereItIsSpoken() {
    int[] text = Arrays.stream(TOKENS).filter(token -> token < 50257).toArray();
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1)) {
      AlignmentRequest request = new AlignmentRequest(crossKv, PROMPT, text, jfk.frames);
      List<Alignment> results = decoder.align(List.of(request, request));

      Alignment alignment = results.get(0);
      assertThat(alignment.startFrames()).hasSize(text.length + 1).isSorted();
      assertThat(alignment.probabilities()).hasSize(text.length);
      assertThat(text[4]).isEqualTo(6280);
      assertThat(alignment.startFrames()[4] * 0.02).isLessThanOrEqualTo(1.8);
      assertThat(alignment.startFrames()[5] * 0.02).isGreaterThanOrEqualTo(1.8);
      assertThat(alignment.probabilities()[4]).isCloseTo(0.9258f, within(1e-3f));
      assertThat(results.get(1).startFrames()).isEqualTo(alignment.startFrames());
      assertThat(results.get(1).probabilities()).isEqualTo(alignment.probabilities());
    }
  }

  @Test
  void failedStepAdvancesNoSlot() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(2, 1);
        StepBatch steps = decoder.newSteps()) {
      int slot = decoder.openSlot(crossKv, Sequence.OPTIONS);
      steps.addPrompt(slot, PROMPT);
      steps.add(1 - slot, 400); // not open
      assertThatThrownBy(() -> decoder.step(steps))
          .isInstanceOf(EngineException.class)
          .extracting(e -> ((EngineException) e).status())
          .isEqualTo(EngineStatus.BAD_STATE);

      steps.clear();
      steps.addPrompt(slot, new int[] {Jfk.SOT, 1 << 20});
      assertThatThrownBy(() -> decoder.step(steps))
          .isInstanceOf(EngineException.class)
          .extracting(e -> ((EngineException) e).status())
          .isEqualTo(EngineStatus.INVALID_ARGUMENT);

      steps.clear();
      steps.addPrompt(slot, PROMPT);
      decoder.step(steps);
      assertThat(steps.token(0)).isEqualTo(TOKENS[0]);
    }
  }

  @Test
  void moreSlotsThanThereAreIsRefused() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1)) {
      int slot = decoder.openSlot(crossKv, Sequence.OPTIONS);
      assertThatThrownBy(() -> decoder.openSlot(crossKv, Sequence.OPTIONS))
          .isInstanceOf(EngineException.class);
      decoder.closeSlot(slot);
      assertThat(decoder.openSlot(crossKv, Sequence.OPTIONS)).isEqualTo(slot);
    }
  }

  private static Integer[] withEot() {
    List<Integer> tokens = new ArrayList<>(Arrays.stream(TOKENS).boxed().toList());
    tokens.add(50257);
    return tokens.toArray(Integer[]::new);
  }
}
