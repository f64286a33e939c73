package dev.amanuensis.worker.transcription;

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

  /** Text before the window, and what the window before it heard of this one. */
  private final TokenList known = new TokenList();

  /** Text before the window, and what this one has said. */
  private final TokenList said = new TokenList();

  private final int before;
  private int read;

  /**
   * @param timestamps whether the text is sampled with timestamps
   */
  Drafter(Expected expected, Tokenizer tokenizer, boolean timestamps) {
    this.timestamps = timestamps;
    this.zero = tokenizer.timestampBegin();
    this.eot = tokenizer.eot();
    this.before = expected.before().length;
    known.addAll(expected.before());
    known.addAll(expected.rest());
    said.addAll(expected.before());
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
        said.add(tokens[read]);
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
    TokenList of = known;
    int at = bestMatch(known, 1, LEAST_MATCH - 1);
    int best = at < 0 ? LEAST_MATCH - 1 : match(known, at);
    int later = bestMatch(said, Math.max(1, before), best); // what lies before is in both
    if (later >= 0) {
      of = said;
      at = later;
    }
    return at < 0 ? new int[0] : of.from(at, most);
  }

  /**
   * Where in {@code tokens}, from {@code first} on, something follows a match longer than {@code
   * least}; -1: nowhere.
   */
  private int bestMatch(TokenList tokens, int first, int least) {
    int best = least;
    int at = -1;
    for (int p = tokens.size() - 1; p >= first && best < MOST_MATCH; p--) {
      int match = match(tokens, p);
      if (match > best) {
        best = match;
        at = p;
      }
    }
    return at;
  }

  /** How many tokens before {@code p} equal the last ones that were said. */
  private int match(TokenList tokens, int p) {
    int most = Math.min(MOST_MATCH, Math.min(p, said.size()));
    int match = 0;
    while (match < most && tokens.get(p - 1 - match) == said.get(said.size() - 1 - match)) {
      match++;
    }
    return match;
  }
}
