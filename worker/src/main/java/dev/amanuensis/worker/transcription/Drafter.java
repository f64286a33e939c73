package dev.amanuensis.worker.transcription;

import java.util.Arrays;

/**
 * Guesses the next tokens of a greedy text, so that one decoder step can confirm several of them:
 * speculative decoding (Leviathan et al., arXiv:2211.17192) with prompt lookup in place of a draft
 * model. A guess changes nothing but the number of steps. It is what followed the last words where
 * they were said before in the file, and between two segments the timestamp that ends the first.
 */
final class Drafter {
  /** Fewer tokens in common predict too little: docs/decoder.md. */
  private static final int LEAST_MATCH = 3;

  /** With so many in common, one place is as good as any other. */
  private static final int MOST_MATCH = 8;

  private final boolean timestamps;
  private final int zero;
  private final int eot;
  private final int[] known;
  private final TokenList text = new TokenList();
  private int read;

  /**
   * @param timestamps whether the text is sampled with timestamps
   */
  Drafter(Expected expected, Tokenizer tokenizer, boolean timestamps) {
    this.timestamps = timestamps;
    this.zero = tokenizer.timestampBegin();
    this.eot = tokenizer.eot();
    this.known = WordSplitter.concat(expected.before(), expected.rest());
    text.addAll(expected.before());
  }

  /**
   * What probably follows.
   *
   * @param tokens sampled so far: the first {@code count} of them
   * @param most tokens of a guess
   */
  int[] next(int[] tokens, int count, int most) {
    for (; read < count; read++) {
      if (tokens[read] < eot) {
        text.add(tokens[read]);
      }
    }
    if (most <= 0) {
      return new int[0];
    }
    int timestamp = timestamp(tokens, count);
    if (timestamp < 0) {
      return continuation(most);
    }
    return WordSplitter.concat(new int[] {timestamp}, continuation(most - 1));
  }

  /** The timestamp that opens a segment: none where text is due. */
  private int timestamp(int[] tokens, int count) {
    if (!timestamps) {
      return -1;
    }
    if (count == 0) {
      return zero;
    }
    boolean closed = tokens[count - 1] >= zero && count > 1 && tokens[count - 2] < zero;
    return closed ? tokens[count - 1] : -1;
  }

  /** What followed the longest match of the last words, the latest of several. */
  private int[] continuation(int most) {
    int[] said = text.from(0);
    int[] of = known;
    int at = bestMatch(known, said, LEAST_MATCH - 1);
    int best = at < 0 ? LEAST_MATCH - 1 : match(known, at, said);
    int later = bestMatch(said, said, best);
    if (later >= 0) {
      of = said;
      at = later;
    }
    return at < 0 ? new int[0] : Arrays.copyOfRange(of, at, Math.min(of.length, at + most));
  }

  /** Where in {@code tokens} something follows a match longer than {@code least}; -1: nowhere. */
  private static int bestMatch(int[] tokens, int[] said, int least) {
    int best = least;
    int at = -1;
    for (int p = tokens.length - 1; p > 0 && best < MOST_MATCH; p--) {
      int match = match(tokens, p, said);
      if (match > best) {
        best = match;
        at = p;
      }
    }
    return at;
  }

  /** How many tokens before {@code p} equal the last ones of {@code said}. */
  private static int match(int[] tokens, int p, int[] said) {
    int match = 0;
    while (match < MOST_MATCH
        && match < p
        && match < said.length
        && tokens[p - 1 - match] == said[said.length - 1 - match]) {
      match++;
    }
    return match;
  }
}
