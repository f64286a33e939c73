package dev.amanuensis.worker.evaluation;

import dev.amanuensis.worker.evaluation.NumberWords.Kind;
import dev.amanuensis.worker.evaluation.NumberWords.Meaning;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Reads the numbers among the words of one text: "nineteen fifties" becomes 1950s, "two double o
 * eight" 2008. The rules are those of openai/whisper's EnglishNumberNormalizer.process_words, odd
 * ones included.
 */
final class SpokenNumbers {
  private static final Pattern NUMERAL = Pattern.compile("[0-9]+(\\.[0-9]+)?");
  private static final Pattern FRACTION = Pattern.compile("[0-9]+\\.?[0-9]*|\\.[0-9]+");
  private static final BigInteger THOUSAND = BigInteger.valueOf(1000);

  private final List<String> words;
  private final List<String> out = new ArrayList<>();

  /** Sign or currency of the number being read, or null. */
  private String prefix;

  /** The number being read, as long as it is a sum; else null. */
  private BigInteger number;

  /** The number being read, once it is a row of digits; else null. */
  private String digits;

  private SpokenNumbers(List<String> words) {
    this.words = words;
  }

  /** The words with their numbers written in digits. */
  static List<String> read(List<String> words) {
    SpokenNumbers reader = new SpokenNumbers(words);
    for (int i = 0; i < words.size(); i++) {
      i += reader.word(i);
    }
    reader.flush();
    return reader.out;
  }

  private String at(int i) {
    return i >= 0 && i < words.size() ? words.get(i) : null;
  }

  /** Takes word i; returns how many words after it are used up as well. */
  private int word(int i) {
    String word = words.get(i);
    boolean hasPrefix = NumberWords.PREFIXES.contains(word.charAt(0));
    String bare = hasPrefix ? word.substring(1) : word;
    if (NUMERAL.matcher(bare).matches()) {
      numeral(word, bare, hasPrefix);
      return 0;
    }
    Meaning meaning = NumberWords.of(word);
    if (meaning == null) {
      flush();
      emit(word);
      return 0;
    }
    switch (meaning.kind()) {
      case ZERO -> append("0");
      case ONE -> one(at(i - 1), meaning.small());
      case ONE_SUFFIXED -> {
        one(at(i - 1), meaning.small());
        emit(current() + meaning.mark());
      }
      case TEN -> ten(meaning);
      case TEN_SUFFIXED -> {
        ten(meaning);
        emit(current() + meaning.mark());
      }
      case MULTIPLIER -> multiply(meaning);
      case MULTIPLIER_SUFFIXED -> {
        multiply(meaning);
        emit(current() + meaning.mark());
      }
      case SIGN -> sign(word, meaning, at(i + 1));
      case CURRENCY -> currency(word, meaning);
      case PERCENT -> {
        return percent(word, at(i + 1));
      }
      default -> {
        return special(word, meaning, at(i - 1), at(i + 1));
      }
    }
    return 0;
  }

  private boolean reading() {
    return number != null || digits != null;
  }

  private String current() {
    return digits != null ? digits : number.toString();
  }

  private void set(BigInteger value) {
    number = value;
    digits = null;
  }

  private void set(String value) {
    digits = value;
    number = null;
  }

  /** Adds to the digits; a sum of zero counts as nothing. */
  private void append(String more) {
    boolean nothing = !reading() || (number != null && number.signum() == 0);
    set((nothing ? "" : current()) + more);
  }

  private void emit(String text) {
    out.add(prefix == null ? text : prefix + text);
    prefix = null;
    number = null;
    digits = null;
  }

  private void flush() {
    if (reading()) {
      emit(current());
    }
  }

  private void numeral(String word, String bare, boolean hasPrefix) {
    if (reading()) {
      if (digits != null && digits.endsWith(".")) {
        set(digits + word);
        return;
      }
      flush();
    }
    if (hasPrefix) {
      prefix = word.substring(0, 1);
    }
    BigInteger whole = whole(new BigDecimal(bare));
    if (whole != null) {
      set(whole);
    } else {
      set(bare);
    }
  }

  /** Adds one to nineteen: into the last place if it is free, else as further digits. */
  private void one(String previous, int value) {
    if (!reading()) {
      set(BigInteger.valueOf(value));
    } else if (digits != null || NumberWords.is(previous, Kind.ONE)) {
      boolean afterTen = NumberWords.is(previous, Kind.TEN) && value < 10;
      String head = current();
      set((afterTen ? head.substring(0, head.length() - 1) : head) + value);
    } else {
      add(value, value < 10 ? 10 : 100);
    }
  }

  private void ten(Meaning meaning) {
    if (!reading()) {
      set(meaning.value());
    } else if (digits != null) {
      set(digits + meaning.value());
    } else {
      add(meaning.small(), 100);
    }
  }

  private void add(int value, int place) {
    if (number.mod(BigInteger.valueOf(place)).signum() == 0) {
      set(number.add(BigInteger.valueOf(value)));
    } else {
      set(number + String.valueOf(value));
    }
  }

  private void multiply(Meaning meaning) {
    if (!reading()) {
      set(meaning.value());
    } else if (digits != null) {
      BigInteger product = product(meaning.value());
      if (product == null) {
        flush();
        product = meaning.value();
      }
      set(product);
    } else {
      multiplyLastThousand(meaning.value());
    }
  }

  private void multiplyLastThousand(BigInteger factor) {
    BigInteger last = number.mod(THOUSAND);
    set(number.subtract(last).add(last.multiply(factor)));
  }

  /** The digits times the factor if that is a whole number, else null. */
  private BigInteger product(BigInteger factor) {
    if (!FRACTION.matcher(digits).matches()) {
      return null;
    }
    return whole(new BigDecimal(digits).multiply(new BigDecimal(factor)));
  }

  private static BigInteger whole(BigDecimal value) {
    try {
      return value.toBigIntegerExact();
    } catch (ArithmeticException fraction) {
      return null;
    }
  }

  private void sign(String word, Meaning meaning, String next) {
    flush();
    if (mayStartNumber(next)) {
      prefix = meaning.mark();
    } else {
      emit(word);
    }
  }

  private void currency(String word, Meaning meaning) {
    if (reading()) {
      prefix = meaning.mark();
      flush();
    } else {
      emit(word);
    }
  }

  private int percent(String word, String next) {
    boolean two = word.equals("per");
    if (!reading() || (two && !"cent".equals(next))) {
      flush();
      emit(word);
      return 0;
    }
    emit(current() + "%");
    return two ? 1 : 0;
  }

  private static boolean mayStartNumber(String next) {
    return next != null && (NumberWords.of(next) != null || NUMERAL.matcher(next).matches());
  }

  private int special(String word, Meaning meaning, String previous, String next) {
    boolean plain = !mayStartNumber(next);
    if (meaning.kind() == Kind.AND) {
      plain |= !NumberWords.is(previous, Kind.MULTIPLIER);
    } else if (meaning.kind() == Kind.REPEAT) {
      plain |= !NumberWords.is(next, Kind.ONE) && !NumberWords.is(next, Kind.ZERO);
    }
    if (plain) {
      flush();
      emit(word);
      return 0;
    }
    if (meaning.kind() == Kind.REPEAT) {
      append(NumberWords.of(next).value().toString().repeat(meaning.small()));
      return 1;
    }
    // A point before a number word that is no digit is dropped.
    if (meaning.kind() == Kind.POINT
        && (NumberWords.decimal(next) || NUMERAL.matcher(next).matches())) {
      append(".");
    }
    return 0;
  }
}
