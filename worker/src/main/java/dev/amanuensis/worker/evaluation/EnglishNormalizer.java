package dev.amanuensis.worker.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * For English (openai/whisper normalizers/english.py). The reference's table of British spellings
 * is not part of this class: give it as a map where results must be comparable to the last word.
 */
public final class EnglishNormalizer implements TextNormalizer {
  private record Rule(Pattern pattern, String replacement) {}

  private static final Pattern FILLERS = pattern("\\b(hmm|mm|mhm|mmm|uh|um)\\b");
  private static final Pattern SPACE_APOSTROPHE = pattern("\\s+'");
  private static final Pattern DIGIT_COMMA = pattern("(\\d),(\\d)");
  private static final Pattern STOP = pattern("\\.([^0-9]|$)");
  private static final Pattern STRAY_SYMBOL = pattern("[.$¢€£]([^0-9])");
  private static final Pattern STRAY_PERCENT = pattern("([^0-9])%");
  private static final String NUMERIC_SYMBOLS = ".%$¢€£";

  /** Whole words and what they stand for. */
  private static final String WORDS =
      """
      won't=will not;can't=can not;let's=let us;ain't=aint;y'all=you all;wanna=want to;gotta=got to;
      gonna=going to;i'ma=i am going to;imma=i am going to;woulda=would have;coulda=could have;
      shoulda=should have;ma'am=madam
      """;

  /** Titles, which keep a space of their own after them: "mr.park" has two words. */
  private static final String TITLES =
      """
      mr=mister;mrs=missus;st=saint;dr=doctor;prof=professor;capt=captain;gov=governor;ald=alderman;
      gen=general;sen=senator;rep=representative;pres=president;rev=reverend;hon=honorable;asst=assistant;
      assoc=associate;lt=lieutenant;col=colonel;jr=junior;sr=senior;esq=esquire
      """;

  /** Ends of words, the special ones first. */
  private static final String ENDINGS =
      """
      'd been=had been;'s been=has been;'d gone=had gone;'s gone=has gone;'d done=had done;'s got=has got;
      n't=not;'re=are;'s=is;'d=would;'ll=will;'t=not;'ve=have;'m=am
      """;

  private static final List<Rule> RULES = new ArrayList<>();

  static {
    rules(WORDS, "\\b", "", "");
    rules(TITLES, "\\b", "", " ");
    rules(ENDINGS, "", " ", "");
  }

  private final Map<String, String> spellings;

  public EnglishNormalizer() {
    this(Map.of());
  }

  /**
   * @param spellings American by British spelling
   */
  public EnglishNormalizer(Map<String, String> spellings) {
    this.spellings = Map.copyOf(spellings);
  }

  private static Pattern pattern(String regex) {
    return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
  }

  private static void rules(String table, String open, String before, String after) {
    for (String rule : table.replace("\n", "").split(";")) {
      String[] sides = rule.split("=");
      RULES.add(new Rule(pattern(open + sides[0] + "\\b"), before + sides[1] + after));
    }
  }

  @Override
  public String normalize(String text) {
    String s = text.toLowerCase(Locale.ROOT);
    s = BasicNormalizer.BRACKETS.matcher(s).replaceAll("");
    s = BasicNormalizer.PARENTHESES.matcher(s).replaceAll("");
    s = FILLERS.matcher(s).replaceAll("");
    s = SPACE_APOSTROPHE.matcher(s).replaceAll("'");
    for (Rule rule : RULES) {
      s = rule.pattern.matcher(s).replaceAll(rule.replacement);
    }
    s = DIGIT_COMMA.matcher(s).replaceAll("$1$2");
    s = STOP.matcher(s).replaceAll(" $1");
    s = Symbols.removeWithDiacritics(s, NUMERIC_SYMBOLS);
    s = EnglishNumbers.normalize(s);
    s = respell(s);
    s = STRAY_SYMBOL.matcher(s).replaceAll(" $1");
    s = STRAY_PERCENT.matcher(s).replaceAll("$1 ");
    return BasicNormalizer.SPACES.matcher(s).replaceAll(" ");
  }

  private String respell(String text) {
    List<String> words = EnglishNumbers.words(text);
    words.replaceAll(word -> spellings.getOrDefault(word, word));
    return String.join(" ", words);
  }
}
