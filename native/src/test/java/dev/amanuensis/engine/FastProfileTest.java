package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
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
      try (DecoderBatch decoder = jfk.engine.newDecoder(16, 1)) {
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
