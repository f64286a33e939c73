package dev.amanuensis.worker.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Writes spoken numbers and amounts of money in digits (EnglishNumberNormalizer). */
final class EnglishNumbers {
  private static final Pattern AND_A_HALF = pattern("\\band\\s+a\\s+half\\b");
  private static final Pattern LETTER_DIGIT = pattern("([a-z])([0-9])");
  private static final Pattern DIGIT_LETTER = pattern("([0-9])([a-z])");
  private static final Pattern SUFFIX = pattern("([0-9])\\s+(st|nd|rd|th|s)\\b");
  private static final Pattern AND_CENTS = pattern("([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\\b");

  /** The reference's pattern: any character stands for the point. */
  private static final Pattern ONLY_CENTS = pattern("[€£$]0.([0-9]{1,2})\\b");

  private static final Pattern LONE_ONE = pattern("\\b1(s?)\\b");

  private EnglishNumbers() {}

  private static Pattern pattern(String regex) {
    return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
  }

  static String normalize(String text) {
    List<String> words = words(spaced(halves(text)));
    return money(String.join(" ", SpokenNumbers.read(words)));
  }

  static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    for (String word : BasicNormalizer.SPACES.split(text)) {
      if (!word.isEmpty()) {
        words.add(word);
      }
    }
    return words;
  }

  /** "two and a half" becomes "two point five". */
  private static String halves(String text) {
    String[] parts = AND_A_HALF.split(text, -1);
    List<String> out = new ArrayList<>();
    for (int i = 0; i < parts.length; i++) {
      List<String> words = words(parts[i]);
      if (words.isEmpty()) {
        continue;
      }
      out.add(parts[i]);
      if (i < parts.length - 1) {
        String last = words.get(words.size() - 1);
        boolean number =
            NumberWords.decimal(last) || NumberWords.is(last, NumberWords.Kind.MULTIPLIER);
        out.add(number ? "point five" : "and a half");
      }
    }
    return String.join(" ", out);
  }

  /** Puts a space between letters and digits, but not before a suffix as in 10th. */
  private static String spaced(String text) {
    String s = LETTER_DIGIT.matcher(text).replaceAll("$1 $2");
    s = DIGIT_LETTER.matcher(s).replaceAll("$1 $2");
    return SUFFIX.matcher(s).replaceAll("$1$2");
  }

  private static String money(String text) {
    String s =
        AND_CENTS
            .matcher(text)
            .replaceAll(
                m ->
                    String.format(
                        "\\%s%s.%02d", m.group(1), m.group(2), Integer.parseInt(m.group(3))));
    s = ONLY_CENTS.matcher(s).replaceAll(m -> "¢" + Integer.parseInt(m.group(1)));
    return LONE_ONE.matcher(s).replaceAll("one$1");
  }
}
