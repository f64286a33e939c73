package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PythonTextTest {
  private static String decode(int... bytes) {
    byte[] b = new byte[bytes.length];
    for (int i = 0; i < b.length; i++) {
      b[i] = (byte) bytes[i];
    }
    return PythonText.decodeUtf8(b, b.length);
  }

  @Test
  void oneReplacementForEachMaximalSubpart() {
    assertThat(decode(0xE6, 0x97)).isEqualTo("\uFFFD");
    assertThat(decode(0xE6, 0x97, 0x41)).isEqualTo("\uFFFDA");
    assertThat(decode(0x80, 0xBF)).isEqualTo("\uFFFD\uFFFD");
    assertThat(decode(0xED, 0xA0, 0x80)).isEqualTo("\uFFFD\uFFFD\uFFFD");
    assertThat(decode(0xF0, 0x80, 0x80, 0x41)).isEqualTo("\uFFFD\uFFFD\uFFFDA");
    assertThat(decode(0xF4, 0x90, 0x80, 0x80)).isEqualTo("\uFFFD\uFFFD\uFFFD\uFFFD");
    assertThat(decode(0xC0, 0xAF)).isEqualTo("\uFFFD\uFFFD");
    assertThat(decode(0xF0, 0x9F, 0x98, 0xE6, 0x97, 0xA5)).isEqualTo("\uFFFD日");
    assertThat(decode(0xF0, 0x9F, 0x98, 0x80)).isEqualTo("😀");
  }

  @Test
  void stripsWhatPythonStrips() {
    assertThat(PythonText.strip("\u00A0\u3000\u001C a\u200B \u0085\n")).isEqualTo("a\u200B");
    assertThat(PythonText.strip(" \t ")).isEmpty();
  }

  @Test
  void compressionRatioIsThatOfZlib() {
    String jfk =
        "And so my fellow Americans, ask not what your country can do for you, ask what you can do"
            + " for your country.";
    assertThat(CompressionRatio.of(jfk)).isCloseTo(107.0 / 79, within(1e-12));
    assertThat(CompressionRatio.of("Thank you. ".repeat(20).strip()))
        .isCloseTo(219.0 / 22, within(1e-12));
    assertThat(CompressionRatio.of("Thanks for watching!")).isCloseTo(20.0 / 28, within(1e-12));
    assertThat(CompressionRatio.of("")).isZero();
  }
}
