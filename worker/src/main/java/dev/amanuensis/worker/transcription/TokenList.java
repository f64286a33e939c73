package dev.amanuensis.worker.transcription;

import java.util.Arrays;
import java.util.List;

/** A growing list of token ids. */
final class TokenList {
  private int[] ids = new int[256];
  private int size;

  int size() {
    return size;
  }

  void add(int token) {
    addAll(new int[] {token});
  }

  void addAll(int[] tokens) {
    if (size + tokens.length > ids.length) {
      ids = Arrays.copyOf(ids, Math.max(2 * ids.length, size + tokens.length));
    }
    System.arraycopy(tokens, 0, ids, size, tokens.length);
    size += tokens.length;
  }

  /** The tokens from {@code from} on. */
  int[] from(int from) {
    return Arrays.copyOfRange(ids, Math.max(0, Math.min(from, size)), size);
  }

  static int[] toArray(List<Integer> tokens) {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }
}
