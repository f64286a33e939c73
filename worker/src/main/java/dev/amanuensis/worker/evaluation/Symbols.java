package dev.amanuensis.worker.evaluation;

import java.text.Normalizer;
import java.util.Map;

/** Replaces punctuation and symbols (Unicode categories M, S and P) by spaces. */
final class Symbols {
  /** Latin letters that have no decomposition, in lower case. */
  private static final Map<Integer, String> LETTERS =
      Map.of(
          (int) 'œ', "oe", (int) 'ø', "o", (int) 'æ', "ae", (int) 'ß', "ss", (int) 'đ', "d",
          (int) 'ð', "d", (int) 'þ', "th", (int) 'ł', "l");

  private Symbols() {}

  /** Keeps diacritics (NFKC). */
  static String remove(String text) {
    StringBuilder out = new StringBuilder(text.length());
    Normalizer.normalize(text, Normalizer.Form.NFKC)
        .codePoints()
        .forEach(c -> out.appendCodePoint(isSymbol(c) ? ' ' : c));
    return out.toString();
  }

  /**
   * Drops diacritics as well (NFKD).
   *
   * @param text in lower case
   * @param keep characters left as they are
   */
  static String removeWithDiacritics(String text, String keep) {
    StringBuilder out = new StringBuilder(text.length());
    Normalizer.normalize(text, Normalizer.Form.NFKD)
        .codePoints()
        .forEach(
            c -> {
              if (keep.indexOf(c) >= 0) {
                out.appendCodePoint(c);
              } else if (LETTERS.containsKey(c)) {
                out.append(LETTERS.get(c));
              } else if (Character.getType(c) != Character.NON_SPACING_MARK) {
                out.appendCodePoint(isSymbol(c) ? ' ' : c);
              }
            });
    return out.toString();
  }

  private static boolean isSymbol(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.MATH_SYMBOL,
          Character.CURRENCY_SYMBOL,
          Character.MODIFIER_SYMBOL,
          Character.OTHER_SYMBOL,
          Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }
}
