package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class EncoderGoldenTest {
  private static final int[] ROWS = {0, 1, 2, 3, 100, 549, 550, 1498, 1499};

  @Test
  void outputEqualsOpenAiWhisper() {
    Npy golden = Npy.resource("/speech/golden/jfk_encoder_output_1500x512.npy");
    try (Jfk jfk = new Jfk();
        NativeBuffer states = jfk.states(1)) {
      assertThat(golden.shape()).containsExactly(jfk.info.audioContext(), jfk.info.audioState());
      Errors.assertClose("encoder output of jfk.wav", states.floats(), golden.data(), 1e-3);
    }
  }

  /** The values reach 563, whose own f32 rounding is 6e-5. */
  @Test
  void blocksEqualOpenAiWhisper() {
    try (Jfk jfk = new Jfk();
        NativeBuffer mel = jfk.mel();
        NativeBuffer states = NativeBuffer.allocate(jfk.info.encoderBytes());
        NativeBuffer blocks =
            NativeBuffer.allocate(jfk.info.audioLayers() * jfk.info.encoderBytes());
        EncoderLane lane = jfk.engine.newLane(1)) {
      lane.encode(mel, jfk.frames, states, blocks);
      int width = jfk.info.audioState();
      FloatBuffer all = blocks.floats();
      for (int block = 0; block < jfk.info.audioLayers(); block++) {
        Npy golden = Npy.resource("/speech/golden/jfk_encoder_block" + block + "_rows.npy");
        float[] rows = new float[ROWS.length * width];
        for (int i = 0; i < ROWS.length; i++) {
          int row = block * jfk.info.audioContext() + ROWS[i];
          all.get(row * width, rows, i * width, width);
        }
        Errors.assertClose("encoder block " + block, FloatBuffer.wrap(rows), golden.data(), 1e-3);
      }
    }
  }

  @Test
  void bitsDoNotDependOnTheNumberOfThreads() {
    try (Jfk jfk = new Jfk();
        NativeBuffer one = jfk.states(1);
        NativeBuffer two = jfk.states(2)) {
      assertThat(one.bytes().mismatch(two.bytes())).isEqualTo(-1);
    }
  }
}
