package dev.amanuensis.worker;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Very short audio. */
final class Tones {
  private static final int SAMPLES = 4_000;

  private Tones() {}

  /**
   * A WAV file of a quarter of a second, 16 kHz, 16 bit, mono.
   *
   * @param pitch in Hz
   * @param first samples in the place of the tone's
   */
  static byte[] wav(int pitch, short... first) {
    ByteBuffer b = ByteBuffer.allocate(44 + 2 * SAMPLES).order(ByteOrder.LITTLE_ENDIAN);
    b.put(ascii("RIFF")).putInt(36 + 2 * SAMPLES).put(ascii("WAVEfmt ")).putInt(16);
    b.putShort((short) 1).putShort((short) 1).putInt(16_000).putInt(32_000);
    b.putShort((short) 2).putShort((short) 16).put(ascii("data")).putInt(2 * SAMPLES);
    for (int i = 0; i < SAMPLES; i++) {
      double tone = 8_000 * Math.sin(2 * Math.PI * pitch * i / 16_000);
      b.putShort(i < first.length ? first[i] : (short) tone);
    }
    return b.array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
