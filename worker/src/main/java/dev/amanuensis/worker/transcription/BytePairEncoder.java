package dev.amanuensis.worker.transcription;

import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Byte-level byte-pair encoding as tiktoken does it: the text is split by GPT-2's pattern, and
 * within a piece the adjacent pair whose joined token has the lowest id is merged first.
 */
final class BytePairEncoder {
  /** GPT-2's split; white space is Unicode's property, as in tiktoken. */
  private static final Pattern SPLIT =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+"
              + "| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+"
              + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})|\\p{IsWhite_Space}+");

  private static final int NONE = Integer.MAX_VALUE;

  private final Map<String, Integer> ids;

  /**
   * @param ids by token in {@link ByteAlphabet} writing; all 256 single bytes must be there
   */
  BytePairEncoder(Map<String, Integer> ids) {
    this.ids = ids;
  }

  /** The ids of the text; special tokens in it are ordinary text. */
  int[] encode(String text) {
    int[] out = new int[16];
    int n = 0;
    Matcher pieces = SPLIT.matcher(text);
    while (pieces.find()) {
      int[] piece = encodePiece(ByteAlphabet.encode(pieces.group()));
      if (n + piece.length > out.length) {
        out = Arrays.copyOf(out, Math.max(2 * out.length, n + piece.length));
      }
      System.arraycopy(piece, 0, out, n, piece.length);
      n += piece.length;
    }
    return Arrays.copyOf(out, n);
  }

  private int[] encodePiece(String piece) {
    Integer whole = ids.get(piece);
    if (whole != null) {
      return new int[] {whole};
    }
    // starts[0..parts] bound the parts; pairs[i] is the id of parts i and i + 1 joined.
    int parts = piece.length();
    int[] starts = new int[parts + 1];
    int[] pairs = new int[parts];
    for (int i = 0; i <= parts; i++) {
      starts[i] = i;
    }
    for (int i = 0; i + 1 < parts; i++) {
      pairs[i] = id(piece, i, i + 2);
    }
    while (parts > 1) {
      int best = 0;
      for (int i = 1; i + 1 < parts; i++) {
        if (pairs[i] < pairs[best]) {
          best = i;
        }
      }
      if (pairs[best] == NONE) {
        break;
      }
      System.arraycopy(starts, best + 2, starts, best + 1, parts - best - 1);
      System.arraycopy(pairs, best + 1, pairs, best, parts - best - 1);
      parts--;
      pairs[best] = best + 1 < parts ? id(piece, starts[best], starts[best + 2]) : NONE;
      if (best > 0) {
        pairs[best - 1] = id(piece, starts[best - 1], starts[best + 1]);
      }
    }
    int[] out = new int[parts];
    for (int i = 0; i < parts; i++) {
      out[i] = id(piece, starts[i], starts[i + 1]);
    }
    return out;
  }

  private int id(String piece, int from, int to) {
    return ids.getOrDefault(piece.substring(from, to), NONE);
  }
}
