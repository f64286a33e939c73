package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The batch contract holds for the reduced arithmetic as well. */
class FastProfileTest {
  private static final int[] PROMPT = {Jfk.SOT, Jfk.EN, Jfk.TRANSCRIBE};

  private static Jfk jfk;
  private static NativeBuffer crossKv;

  @BeforeAll
  static void encode() {
    jfk = new Jfk(Profile.FAST);
    crossKv = jfk.crossKv();
  }

  @AfterAll
  static void close() {
    crossKv.close();
    jfk.close();
  }

  @Test
  void sequenceHasTheSameBitsAloneAndAmongFifteenOthers() {
    Sequence alone;
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 1)) {
      alone = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(alone), 40);
    }
    for (int place : new int[] {0, 7, 15}) {
      try (DecoderBatch decoder = jfk.engine.newDecoder(16, 2)) {
        decoder.useThreads(place == 7 ? 1 : 2);
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          int[] prompt = i == place ? PROMPT : Sequence.otherPrompt(i);
          sequences.add(new Sequence(decoder, crossKv, prompt));
        }
        Sequence.decode(decoder, sequences, 40);
        assertThat(sequences.get(place).tokens).isEqualTo(alone.tokens);
        assertThat(sequences.get(place).bits).as("at place %d", place).isEqualTo(alone.bits);
      }
    }
  }

  /** Neighbours over other windows share no pass over keys and values; the bits stay. */
  @Test
  void sequenceHasTheSameBitsBesideOtherWindows() {
    try (NativeBuffer other = NativeBuffer.allocate(jfk.info.crossKvBytes());
        NativeBuffer states = jfk.states(1);
        EncoderLane lane = jfk.engine.newLane(1);
        DecoderBatch decoder = jfk.engine.newDecoder(5, 1)) {
      states.floats().put(0, 3f).put(700, -2f);
      lane.crossKv(states, jfk.frames, other);
      Sequence alone = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(alone), 20);
      decoder.closeSlot(alone.slot);
      List<Sequence> sequences = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        sequences.add(new Sequence(decoder, i % 2 == 0 ? crossKv : other, PROMPT));
      }
      Sequence.decode(decoder, sequences, 20);
      assertThat(sequences.get(0).bits).isEqualTo(alone.bits);
      assertThat(sequences.get(2).bits).isEqualTo(alone.bits);
      assertThat(sequences.get(4).bits).isEqualTo(alone.bits);
      assertThat(sequences.get(1).bits).isEqualTo(sequences.get(3).bits).isNotEqualTo(alone.bits);
    }
  }

  @Test
  void promptInOneStepEqualsPromptTokenByToken() {
    int[] prompt = Sequence.otherPrompt(15); // more rows than one pass takes
    try (DecoderBatch decoder = jfk.engine.newDecoder(2, 2);
        StepBatch steps = decoder.newSteps();
        NativeBuffer whole = NativeBuffer.allocate(4L * jfk.info.vocabulary());
        NativeBuffer single = NativeBuffer.allocate(4L * jfk.info.vocabulary())) {
      int a = decoder.openSlot(crossKv, Sequence.OPTIONS);
      steps.rawLogits(steps.addPrompt(a, prompt), whole);
      decoder.step(steps);
      int b = decoder.openSlot(crossKv, Sequence.OPTIONS);
      for (int token : prompt) {
        steps.clear();
        steps.rawLogits(steps.add(b, token), single);
        decoder.step(steps);
      }
      assertThat(prompt).hasSizeGreaterThan(64);
      assertThat(whole.bytes().mismatch(single.bytes())).isEqualTo(-1);
    }
  }

  /** Forks read one another's keys and values and share passes over the window's. */
  @Test
  void forksContinueLikeTheirSource() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(6, 1)) {
      Sequence alone = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(alone), 30);
      decoder.closeSlot(alone.slot);
      Sequence source = new Sequence(decoder, crossKv, PROMPT);
      Sequence.decode(decoder, List.of(source), 10);
      List<Sequence> beams = new ArrayList<>(List.of(source));
      for (int i = 0; i < 5; i++) {
        beams.add(source.fork(decoder.forkSlot(source.slot)));
      }
      Sequence.decode(decoder, beams, 20);
      for (Sequence beam : beams) {
        assertThat(beam.bits).isEqualTo(alone.bits);
      }
    }
  }

  @Test
  void windowsAlignedTogetherEqualEachAlone() {
    int[] text = {400, 370, 452, 7177, 6280, 11, 1029, 406, 437, 428, 1941, 393, 360, 337, 291, 13};
    AlignmentRequest full = new AlignmentRequest(crossKv, PROMPT, text, jfk.frames);
    AlignmentRequest half =
        new AlignmentRequest(crossKv, PROMPT, Arrays.copyOf(text, 7), jfk.frames / 2);
    try (DecoderBatch decoder = jfk.engine.newDecoder(1, 2)) {
      List<Alignment> together = decoder.align(List.of(full, half, full, half, full, half, full));
      decoder.useThreads(1);
      for (int i = 0; i < together.size(); i++) {
        Alignment alone = decoder.align(List.of(i % 2 == 0 ? full : half)).get(0);
        assertThat(together.get(i).startFrames()).isEqualTo(alone.startFrames());
        assertThat(together.get(i).probabilities()).isEqualTo(alone.probabilities());
      }
      assertThat(decoder.stats().alignments()).isEqualTo(14);
    }
  }

  @Test
  void memoryStaysTheSameUnderASteadyLoad() {
    try (DecoderBatch decoder = jfk.engine.newDecoder(4, 1)) {
      long after = 0;
      for (int round = 0; round < 4; round++) {
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          sequences.add(new Sequence(decoder, crossKv, Sequence.otherPrompt(i)));
        }
        Sequence.decode(decoder, sequences, 5);
        sequences.forEach(s -> decoder.closeSlot(s.slot));
        DecoderStats stats = decoder.stats();
        if (round > 0) {
          assertThat(stats.memoryBytes()).isEqualTo(after);
        }
        after = stats.memoryBytes();
        assertThat(stats.steps()).isGreaterThan(round);
      }
    }
  }

  @Test
  void encoderBitsDoNotDependOnTheNumberOfThreads() {
    try (NativeBuffer one = jfk.states(1);
        NativeBuffer two = jfk.states(2)) {
      assertThat(one.bytes().mismatch(two.bytes())).isEqualTo(-1);
    }
  }

  @Test
  void reportsItsProfile() {
    assertThat(jfk.info.profile()).isEqualTo(Profile.FAST);
  }
}
