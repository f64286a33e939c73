package dev.amanuensis.bench.pipeline;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** Audio that costs as much as speech where nobody listens. */
final class Noise {
  private Noise() {}

  /** 16 kHz mono WAV. */
  static byte[] wav(long seed, double seconds) {
    int samples = (int) (seconds * 16_000);
    ByteBuffer b = ByteBuffer.allocate(44 + 2 * samples).order(ByteOrder.LITTLE_ENDIAN);
    b.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(36 + 2 * samples);
    b.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
    b.putShort((short) 1).putShort((short) 1).putInt(16_000).putInt(32_000);
    b.putShort((short) 2).putShort((short) 16);
    b.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(2 * samples);
    SplittableRandom random = new SplittableRandom(seed);
    while (b.hasRemaining()) {
      b.putShort((short) (random.nextInt(20_000) - 10_000));
    }
    return b.array();
  }
}
