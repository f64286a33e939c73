package dev.amanuensis.worker.evaluation;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The English words that make up numbers, and what they mean. */
final class NumberWords {
  /** How a word takes part in a number. */
  enum Kind {
    ZERO,
    /** one to nineteen */
    ONE,
    /** twenties, first, sixes: ends a number */
    ONE_SUFFIXED,
    TEN,
    TEN_SUFFIXED,
    MULTIPLIER,
    MULTIPLIER_SUFFIXED,
    /** minus: a sign before the number */
    SIGN,
    /** dollars: a symbol that moves before the number */
    CURRENCY,
    PERCENT,
    AND,
    /** double, triple */
    REPEAT,
    POINT
  }

  /**
   * @param value of the word; for REPEAT how often
   * @param mark suffix, sign or symbol
   */
  record Meaning(Kind kind, BigInteger value, String mark) {
    int small() {
      return value.intValueExact();
    }
  }

  static final Set<Character> PREFIXES = Set.of('-', '+', '£', '€', '$', '¢');

  private static final List<String> ONES =
      List.of(
          "one",
          "two",
          "three",
          "four",
          "five",
          "six",
          "seven",
          "eight",
          "nine",
          "ten",
          "eleven",
          "twelve",
          "thirteen",
          "fourteen",
          "fifteen",
          "sixteen",
          "seventeen",
          "eighteen",
          "nineteen");
  private static final Map<String, String> ORDINALS =
      Map.of(
          "one", "first", "two", "second", "three", "third", "five", "fifth", "twelve", "twelfth",
          "eight", "eighth");
  private static final List<String> TENS =
      List.of("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety");
  private static final List<String> POWERS_OF_THOUSAND =
      List.of(
          "thousand",
          "million",
          "billion",
          "trillion",
          "quadrillion",
          "quintillion",
          "sextillion",
          "septillion",
          "octillion",
          "nonillion",
          "decillion");

  private static final Map<String, Meaning> WORDS = new HashMap<>();

  static {
    for (String zero : List.of("o", "oh", "zero")) {
      put(zero, Kind.ZERO, 0, "");
    }
    put("zeroth", Kind.ONE_SUFFIXED, 0, "th");
    for (int i = 0; i < ONES.size(); i++) {
      String name = ONES.get(i);
      int value = i + 1;
      put(name, Kind.ONE, value, "");
      put(name.equals("six") ? "sixes" : name + "s", Kind.ONE_SUFFIXED, value, "s");
      String suffix = value == 1 ? "st" : value == 2 ? "nd" : value == 3 ? "rd" : "th";
      put(ORDINALS.getOrDefault(name, name + "th"), Kind.ONE_SUFFIXED, value, suffix);
    }
    for (int i = 0; i < TENS.size(); i++) {
      String name = TENS.get(i);
      put(name, Kind.TEN, 10 * (i + 2), "");
      put(name.replace("y", "ies"), Kind.TEN_SUFFIXED, 10 * (i + 2), "s");
      put(name.replace("y", "ieth"), Kind.TEN_SUFFIXED, 10 * (i + 2), "th");
    }
    multiplier("hundred", BigInteger.valueOf(100));
    for (int i = 0; i < POWERS_OF_THOUSAND.size(); i++) {
      multiplier(POWERS_OF_THOUSAND.get(i), BigInteger.valueOf(1000).pow(i + 1));
    }
    marks(Kind.SIGN, "minus", "-", "negative", "-", "plus", "+", "positive", "+");
    marks(Kind.CURRENCY, "pound", "£", "pounds", "£", "euro", "€", "euros", "€");
    marks(Kind.CURRENCY, "dollar", "$", "dollars", "$", "cent", "¢", "cents", "¢");
    marks(Kind.PERCENT, "per", "%", "percent", "%");
    put("and", Kind.AND, 0, "");
    put("double", Kind.REPEAT, 2, "");
    put("triple", Kind.REPEAT, 3, "");
    put("point", Kind.POINT, 0, "");
  }

  private NumberWords() {}

  private static void put(String word, Kind kind, long value, String mark) {
    WORDS.put(word, new Meaning(kind, BigInteger.valueOf(value), mark));
  }

  private static void multiplier(String name, BigInteger value) {
    WORDS.put(name, new Meaning(Kind.MULTIPLIER, value, ""));
    WORDS.put(name + "s", new Meaning(Kind.MULTIPLIER_SUFFIXED, value, "s"));
    WORDS.put(name + "th", new Meaning(Kind.MULTIPLIER_SUFFIXED, value, "th"));
  }

  private static void marks(Kind kind, String... pairs) {
    for (int i = 0; i < pairs.length; i += 2) {
      put(pairs[i], kind, 0, pairs[i + 1]);
    }
  }

  /** What the word means, or null if it is not part of numbers. */
  static Meaning of(String word) {
    return word == null ? null : WORDS.get(word);
  }

  static boolean is(String word, Kind kind) {
    Meaning meaning = of(word);
    return meaning != null && meaning.kind == kind;
  }

  /** Whether the word is a digit, a ten, or a zero: something that may follow a point. */
  static boolean decimal(String word) {
    return is(word, Kind.ONE) || is(word, Kind.TEN) || is(word, Kind.ZERO);
  }
}
