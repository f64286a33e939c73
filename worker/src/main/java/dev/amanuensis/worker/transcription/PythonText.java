package dev.amanuensis.worker.transcription;

/**
 * Text operations with the exact meaning they have in Python, because the reference's decisions on
 * words and blank segments depend on them.
 */
final class PythonText {
  /** {@code string.punctuation}. */
  static final String ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

  private static final char REPLACEMENT = '\uFFFD';

  private PythonText() {}

  /** {@code str.strip()}. All of its white space is in the basic plane. */
  static String strip(String s) {
    int from = 0;
    int to = s.length();
    while (from < to && isSpace(s.charAt(from))) {
      from++;
    }
    while (to > from && isSpace(s.charAt(to - 1))) {
      to--;
    }
    return s.substring(from, to);
  }

  /**
   * {@code str.isspace()} of one character: wider than Character.isWhitespace (no-break spaces,
   * NEL).
   */
  static boolean isSpace(char c) {
    return (c >= 0x09 && c <= 0x0D)
        || (c >= 0x1C && c <= 0x20)
        || c == 0x85
        || c == 0xA0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200A)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202F
        || c == 0x205F
        || c == 0x3000;
  }

  /**
   * {@code bytes.decode("utf-8", errors="replace")}: one U+FFFD for each maximal ill-formed subpart
   * (Unicode 3.9, table 3-7). Java's own decoder differs for encoded surrogates.
   */
  static String decodeUtf8(byte[] bytes, int length) {
    StringBuilder out = new StringBuilder(length);
    int i = 0;
    while (i < length) {
      int lead = bytes[i] & 0xFF;
      if (lead < 0x80) {
        out.append((char) lead);
        i++;
        continue;
      }
      int need = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
      int point = need == 0 ? 0 : lead & (0x3F >> need);
      int have = 0;
      while (have < need && i + 1 + have < length) {
        int next = bytes[i + 1 + have] & 0xFF;
        if (!continues(lead, have, next)) {
          break;
        }
        point = point << 6 | (next & 0x3F);
        have++;
      }
      if (need > 0 && have == need) {
        out.appendCodePoint(point);
      } else {
        out.append(REPLACEMENT);
      }
      i += 1 + have;
    }
    return out.toString();
  }

  /**
   * Whether {@code next} is a well-formed continuation byte number {@code index} after {@code
   * lead}.
   */
  private static boolean continues(int lead, int index, int next) {
    int low = 0x80;
    int high = 0xBF;
    if (index == 0) {
      switch (lead) {
        case 0xE0 -> low = 0xA0;
        case 0xED -> high = 0x9F;
        case 0xF0 -> low = 0x90;
        case 0xF4 -> high = 0x8F;
        default -> {}
      }
    }
    return next >= low && next <= high;
  }
}
