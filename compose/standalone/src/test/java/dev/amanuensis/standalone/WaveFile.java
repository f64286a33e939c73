package dev.amanuensis.standalone;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Makes WAV files of 16-bit PCM. */
final class WaveFile {
  private static final int HEADER = 44;

  private WaveFile() {}

  /** A tone on every channel. */
  static byte[] tone(int channels, int rate, double seconds) {
    int frames = (int) (rate * seconds);
    int data = frames * channels * 2;
    ByteBuffer file = ByteBuffer.allocate(HEADER + data).order(ByteOrder.LITTLE_ENDIAN);
    file.put("RIFF".getBytes()).putInt(HEADER - 8 + data).put("WAVEfmt ".getBytes()).putInt(16);
    file.putShort((short) 1).putShort((short) channels).putInt(rate);
    file.putInt(rate * channels * 2).putShort((short) (channels * 2)).putShort((short) 16);
    file.put("data".getBytes()).putInt(data);
    for (int frame = 0; frame < frames; frame++) {
      short sample = (short) (8000 * Math.sin(2 * Math.PI * 440 * frame / rate));
      for (int channel = 0; channel < channels; channel++) {
        file.putShort(sample);
      }
    }
    return file.array();
  }
}
