package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Cuts tokens into words (openai/whisper tokenizer.py, split_to_word_tokens). */
final class WordSplitter {
  /** Languages that are not written with spaces between words. */
  private static final Set<String> WITHOUT_SPACES = Set.of("zh", "ja", "th", "lo", "my", "yue");

  private static final int REPLACEMENT = 0xFFFD;

  /**
   * A word and its tokens.
   *
   * @param text with its leading space
   */
  record Piece(String text, int[] tokens) {}

  private final Tokenizer tokenizer;
  private final boolean withoutSpaces;

  WordSplitter(Tokenizer tokenizer, String language) {
    this.tokenizer = tokenizer;
    // An English-only tokenizer has no language in the reference, and so splits on spaces.
    this.withoutSpaces = tokenizer.multilingual() && WITHOUT_SPACES.contains(language);
  }

  List<Piece> split(int[] tokens) {
    List<Piece> characters = splitOnUnicode(tokens);
    return withoutSpaces ? characters : joinToWords(characters);
  }

  /** A piece ends where its tokens decode to whole characters. */
  private List<Piece> splitOnUnicode(int[] tokens) {
    int[] full = tokenizer.decodeWithTimestamps(tokens).codePoints().toArray();
    List<Piece> pieces = new ArrayList<>();
    int done = 0;
    int first = 0;
    for (int i = 0; i < tokens.length; i++) {
      int[] pending = Arrays.copyOfRange(tokens, first, i + 1);
      String text = tokenizer.decodeWithTimestamps(pending);
      int[] points = text.codePoints().toArray();
      int broken = indexOf(points, REPLACEMENT);
      // A replacement character that the whole text has at this place will not be completed.
      if (broken < 0 || (done + broken < full.length && full[done + broken] == REPLACEMENT)) {
        pieces.add(new Piece(text, pending));
        first = i + 1;
        done += points.length;
      }
    }
    return pieces;
  }

  private List<Piece> joinToWords(List<Piece> characters) {
    List<Piece> words = new ArrayList<>();
    for (Piece piece : characters) {
      boolean special = piece.tokens[0] >= tokenizer.eot();
      boolean space = piece.text.startsWith(" ");
      boolean mark = PythonText.ASCII_PUNCTUATION.contains(PythonText.strip(piece.text));
      if (special || space || mark || words.isEmpty()) {
        words.add(piece);
      } else {
        int last = words.size() - 1;
        Piece before = words.get(last);
        words.set(last, new Piece(before.text + piece.text, concat(before.tokens, piece.tokens)));
      }
    }
    return words;
  }

  static int[] concat(int[] a, int[] b) {
    int[] joined = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, joined, a.length, b.length);
    return joined;
  }

  private static int indexOf(int[] points, int wanted) {
    for (int i = 0; i < points.length; i++) {
      if (points[i] == wanted) {
        return i;
      }
    }
    return -1;
  }
}
