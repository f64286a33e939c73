package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class MelGoldenTest {

  @Test
  void windowEqualsOpenAiWhisper() {
    Npy golden = Npy.resource("/speech/golden/jfk_mel_80x3000.npy");
    try (Jfk jfk = new Jfk();
        NativeBuffer mel = jfk.mel()) {
      assertThat(golden.shape()).containsExactly(jfk.info.mels(), Engine.WINDOW_FRAMES);
      Errors.assertClose("log-mel of jfk.wav", mel.floats(), golden.data(), 1e-4);
    }
  }

  /** Published value: the largest raw log10 mel of this recording is 1.845032. */
  @Test
  void maximumIsThatOfTheWholeFileHoweverItIsCut() {
    try (Jfk jfk = new Jfk()) {
      float whole = jfk.engine.melMax(jfk.pcm, jfk.samples, 0, jfk.frames);
      float cut = Float.NEGATIVE_INFINITY;
      for (int first = 0; first < jfk.frames; first += 37) {
        int count = Math.min(37, jfk.frames - first);
        cut = Math.max(cut, jfk.engine.melMax(jfk.pcm, jfk.samples, first, count));
      }
      assertThat(whole).isCloseTo(1.845032f, within(1e-5f));
      assertThat(cut).isEqualTo(whole);
    }
  }

  /** A window that begins in the middle holds the same columns, bit for bit. */
  @Test
  void windowsOverlapWithoutASeam() {
    try (Jfk jfk = new Jfk();
        NativeBuffer first = jfk.mel();
        NativeBuffer second = NativeBuffer.allocate(jfk.info.melBytes())) {
      float max = jfk.engine.melMax(jfk.pcm, jfk.samples, 0, jfk.frames);
      jfk.engine.melWindow(jfk.pcm, jfk.samples, 300, jfk.frames - 300, max, second);
      for (int row = 0; row < jfk.info.mels(); row++) {
        int at = row * Engine.WINDOW_FRAMES;
        for (int t = 0; t < jfk.frames - 300; t++) {
          assertThat(second.floats().get(at + t)).isEqualTo(first.floats().get(at + 300 + t));
        }
        assertThat(second.floats().get(at + jfk.frames - 300)).isZero();
      }
    }
  }
}
