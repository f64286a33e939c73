package dev.amanuensis.worker.evaluation;

import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** For all languages but English (openai/whisper normalizers/basic.py). */
public final class BasicNormalizer implements TextNormalizer {
  static final Pattern BRACKETS = Pattern.compile("[<\\[][^>\\]]*[>\\]]");
  static final Pattern PARENTHESES = Pattern.compile("\\(([^)]+?)\\)");
  static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern GRAPHEME = Pattern.compile("\\X");

  private final boolean removeDiacritics;
  private final boolean splitLetters;

  public BasicNormalizer() {
    this(false, false);
  }

  /**
   * @param splitLetters each character is a word: for languages without spaces
   */
  public BasicNormalizer(boolean removeDiacritics, boolean splitLetters) {
    this.removeDiacritics = removeDiacritics;
    this.splitLetters = splitLetters;
  }

  @Override
  public String normalize(String text) {
    String s = text.toLowerCase(Locale.ROOT);
    s = BRACKETS.matcher(s).replaceAll("");
    s = PARENTHESES.matcher(s).replaceAll("");
    s = removeDiacritics ? Symbols.removeWithDiacritics(s, "") : Symbols.remove(s);
    s = s.toLowerCase(Locale.ROOT);
    if (splitLetters) {
      s = GRAPHEME.matcher(s).results().map(MatchResult::group).collect(Collectors.joining(" "));
    }
    return SPACES.matcher(s).replaceAll(" ");
  }
}
