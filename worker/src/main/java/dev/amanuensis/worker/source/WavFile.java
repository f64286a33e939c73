package dev.amanuensis.worker.source;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Recognises 16 kHz mono 16-bit PCM in RIFF WAVE (Microsoft, "Multimedia Programming Interface and
 * Data Specifications 1.0"; WAVE_FORMAT_EXTENSIBLE included). Strict: whatever is odd, FFmpeg
 * reads.
 */
final class WavFile {
  private static final int RIFF = 0x46464952;
  private static final int WAVE = 0x45564157;
  private static final int FMT = 0x20746d66;
  private static final int DATA = 0x61746164;
  private static final int PCM = 1;
  private static final int EXTENSIBLE = 0xfffe;
  private static final long PCM_GUID_LOW = 0x0010_0000_0000_0001L;
  private static final long PCM_GUID_HIGH = 0x719b_3800_aa00_0080L;

  private WavFile() {}

  /**
   * @param file the whole file, or its beginning up to the samples
   * @param size of the whole file
   * @return offset and length of the samples, if they can be taken as they are
   */
  static Optional<Samples> samples(ByteBuffer file, long size) {
    ByteBuffer b = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int start = b.position();
    if (b.remaining() < 12 || b.getInt(start) != RIFF || b.getInt(start + 8) != WAVE) {
      return Optional.empty();
    }
    if (Integer.toUnsignedLong(b.getInt(start + 4)) + 8 != size) {
      return Optional.empty();
    }
    boolean format = false;
    long at = 12;
    while (at + 8 <= b.limit() - start) {
      int chunk = b.getInt(start + (int) at);
      long length = Integer.toUnsignedLong(b.getInt(start + (int) at + 4));
      long body = at + 8;
      if (chunk == DATA) {
        // More after the samples may be more samples.
        boolean whole = body + length == size && length % 2 == 0;
        return format && whole ? Optional.of(new Samples(body, length)) : Optional.empty();
      }
      if (chunk == FMT) {
        if (format || length < 16 || body + length > b.limit() - start) {
          return Optional.empty();
        }
        if (!isOurs(b, start + (int) body, length)) {
          return Optional.empty();
        }
        format = true;
      }
      at = body + length + length % 2;
    }
    return Optional.empty();
  }

  private static boolean isOurs(ByteBuffer b, int at, long length) {
    int tag = Short.toUnsignedInt(b.getShort(at));
    boolean pcm =
        tag == PCM
            || (tag == EXTENSIBLE
                && length >= 40
                && b.getShort(at + 18) == 16 // valid bits
                && b.getLong(at + 24) == PCM_GUID_LOW
                && b.getLong(at + 32) == PCM_GUID_HIGH);
    return pcm
        && b.getShort(at + 2) == 1
        && b.getInt(at + 4) == 16_000
        && b.getInt(at + 8) == 32_000
        && b.getShort(at + 12) == 2
        && b.getShort(at + 14) == 16;
  }

  /** Where the samples are, in bytes from the start of the file. */
  record Samples(long offset, long length) {}
}
