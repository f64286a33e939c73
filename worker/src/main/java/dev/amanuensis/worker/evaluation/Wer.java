package dev.amanuensis.worker.evaluation;

import java.util.List;

/**
 * Word error rate of a corpus: all edits over all reference words, not a mean over files. Not
 * thread-safe.
 */
public final class Wer {
  private final TextNormalizer normalizer;
  private long edits;
  private long referenceWords;

  public Wer(TextNormalizer normalizer) {
    this.normalizer = normalizer;
  }

  /** Adds one pair; returns its edits. */
  public int add(String reference, String hypothesis) {
    List<String> expected = EnglishNumbers.words(normalizer.normalize(reference));
    List<String> actual = EnglishNumbers.words(normalizer.normalize(hypothesis));
    int distance = distance(expected, actual);
    edits += distance;
    referenceWords += expected.size();
    return distance;
  }

  /** Insertions, deletions and substitutions that turn one list into the other, at least. */
  static int distance(List<String> a, List<String> b) {
    int[] row = new int[b.size() + 1];
    for (int j = 0; j <= b.size(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.size(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.size(); j++) {
        int substituted = diagonal + (a.get(i - 1).equals(b.get(j - 1)) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.size()];
  }

  public long edits() {
    return edits;
  }

  public long referenceWords() {
    return referenceWords;
  }

  /** Edits per reference word; NaN before the first word. */
  public double rate() {
    return (double) edits / referenceWords;
  }
}
