package dev.amanuensis.cli.format;

/** Text rules that differ between Java and Python. */
final class Texts {
  private Texts() {}

  /** Removes what Python's str.strip() removes: unlike Java's, no-break spaces too. */
  static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isSpace(text.charAt(start))) {
      start++;
    }
    while (end > start && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }

  /** Length in code points, as Python counts. */
  static int length(String text) {
    return text.codePointCount(0, text.length());
  }
}
