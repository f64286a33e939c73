package dev.amanuensis.engine;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LogitsGoldenTest {

  @Test
  void logitsEqualOpenAiWhisper() {
    Npy golden = Npy.resource("/speech/golden/jfk_logits_rows0and2_2x51865.npy");
    try (Jfk jfk = new Jfk();
        NativeBuffer crossKv = jfk.crossKv();
        DecoderBatch decoder = jfk.engine.newDecoder(2, 1)) {
      int vocabulary = jfk.info.vocabulary();
      Errors.assertClose(
          "logits after [sot]",
          logits(jfk, decoder, crossKv, Jfk.SOT),
          Arrays.copyOf(golden.data(), vocabulary),
          1e-3);
      Errors.assertClose(
          "logits after [sot, en, transcribe]",
          logits(jfk, decoder, crossKv, Jfk.SOT, Jfk.EN, Jfk.TRANSCRIBE),
          Arrays.copyOfRange(golden.data(), vocabulary, 2 * vocabulary),
          1e-3);
    }
  }

  private static FloatBuffer logits(
      Jfk jfk, DecoderBatch decoder, NativeBuffer crossKv, int... prompt) {
    SlotOptions options = new SlotOptions(true, true, 50, new int[0]);
    int slot = decoder.openSlot(crossKv, options);
    try (StepBatch steps = decoder.newSteps();
        NativeBuffer logits = NativeBuffer.allocate(4L * jfk.info.vocabulary())) {
      steps.rawLogits(steps.addPrompt(slot, prompt), logits);
      decoder.step(steps);
      float[] copy = new float[jfk.info.vocabulary()];
      logits.floats().get(copy);
      return FloatBuffer.wrap(copy);
    } finally {
      decoder.closeSlot(slot);
    }
  }
}
