package dev.amanuensis.worker.transcription;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The printable stand-ins for bytes in which GPT-2 vocabularies are written: printable Latin-1
 * characters stand for themselves, all other bytes for U+0100 and up in ascending order.
 */
final class ByteAlphabet {
  private static final char[] CHAR_OF_BYTE = new char[256];
  private static final short[] BYTE_OF_CHAR = new short[512];

  static {
    Arrays.fill(BYTE_OF_CHAR, (short) -1);
    char other = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      CHAR_OF_BYTE[b] = printable ? (char) b : other++;
      BYTE_OF_CHAR[CHAR_OF_BYTE[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  /** The UTF-8 bytes of the text, one stand-in each. */
  static String encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    char[] chars = new char[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      chars[i] = CHAR_OF_BYTE[bytes[i] & 0xFF];
    }
    return new String(chars);
  }

  /** The stand-in of one byte, 0 to 255. */
  static String of(int b) {
    return String.valueOf(CHAR_OF_BYTE[b]);
  }

  /**
   * The bytes for which the stand-ins are written, or null if one of the characters is no stand-in.
   */
  static byte[] decode(String written) {
    byte[] bytes = new byte[written.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = written.charAt(i);
      if (c >= BYTE_OF_CHAR.length || BYTE_OF_CHAR[c] < 0) {
        return null;
      }
      bytes[i] = (byte) BYTE_OF_CHAR[c];
    }
    return bytes;
  }
}
