package dev.amanuensis.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CTranslate2FileTest {

  @Test
  void readsNamesShapesAndData() throws Exception {
    var variables = CTranslate2File.read(ByteBuffer.wrap(TinyModel.whisper().bytes()));

    assertThat(variables).hasSize(9);
    var conv = variables.get(4);
    assertThat(conv.name()).isEqualTo("encoder/conv1/weight");
    assertThat(conv.shape()).containsExactly(4, 2, 3);
    assertThat(conv.type()).isEqualTo(CTranslate2File.Type.FLOAT16);
    assertThat(conv.data().remaining()).isEqualTo(48);
    assertThat(conv.data().getShort(46)).isEqualTo((short) 24);
    assertThat(variables.get(0).shape()).isEmpty();
  }

  @Test
  void refusesEveryTruncation() {
    byte[] whole = TinyModel.whisper().bytes();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> CTranslate2File.read(ByteBuffer.wrap(cut)))
          .as("cut to %d of %d bytes", length, whole.length)
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("not a CTranslate2 Whisper model");
    }
  }

  @Test
  void refusesTrailingBytes() {
    byte[] whole = TinyModel.whisper().bytes();
    refuses(Arrays.copyOf(whole, whole.length + 1), "1 bytes after its end");
  }

  @Test
  void refusesOtherVersionsAndSpecs() {
    refuses(TinyModel.whisper().version(7).bytes(), "format version 7 instead of 6");
    refuses(TinyModel.whisper().spec("TransformerSpec").bytes(), "spec 'TransformerSpec'");
  }

  @Test
  void refusesSizesThatContradictTheShape() {
    refuses(
        new TinyModel().with("x", new int[] {3, 5}, TinyModel.FLOAT16, new byte[28]).bytes(),
        "x has 28 bytes instead of 30");
    refuses(
        new TinyModel()
            .with("x", new int[] {1 << 16, 1 << 16}, TinyModel.FLOAT16, new byte[0])
            .bytes(),
        "x has a dimension of 65536");
    refuses(new TinyModel().with("x", new int[] {1}, (byte) 9, new byte[2]).bytes(), "type 9");
  }

  @Test
  void refusesNamesThatOccurTwice() {
    refuses(new TinyModel().halves("x", 1).halves("x", 1).bytes(), "'x' occurs twice");
  }

  /** Whatever the bytes are, the reader answers with a ModelException or with variables. */
  @Test
  void survivesRandomDamage() {
    Random random = new Random(7);
    byte[] whole = TinyModel.whisper().bytes();
    int refused = 0;
    for (int round = 0; round < 5_000; round++) {
      byte[] damaged = whole.clone();
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      try {
        CTranslate2File.read(ByteBuffer.wrap(damaged));
      } catch (ModelException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(1_000);
  }

  private static void refuses(byte[] bytes, String message) {
    assertThatThrownBy(() -> CTranslate2File.read(ByteBuffer.wrap(bytes)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(message);
  }
}
