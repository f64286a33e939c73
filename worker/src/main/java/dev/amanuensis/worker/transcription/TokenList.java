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

  int get(int index) {
    return ids[index];
  }

  void add(int token) {
    makeRoom(1);
    ids[size++] = token;
  }

  void addAll(int[] tokens) {
    makeRoom(tokens.length);
    System.arraycopy(tokens, 0, ids, size, tokens.length);
    size += tokens.length;
  }

  private void makeRoom(int more) {
    if (size + more > ids.length) {
      ids = Arrays.copyOf(ids, Math.max(2 * ids.length, size + more));
    }
  }

  /** The tokens from {@code from} on. */
  int[] from(int from) {
    return Arrays.copyOfRange(ids, Math.max(0, Math.min(from, size)), size);
  }

  /** At most {@code most} tokens from {@code from} on. */
  int[] from(int from, int most) {
    return Arrays.copyOfRange(ids, from, Math.min(size, from + most));
  }

  static int[] toArray(List<Integer> tokens) {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }
}
