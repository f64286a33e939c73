package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A word as aligned with its window, times in seconds from the window's start. */
final class WordTiming {
  /** Alignment frames per second. */
  private static final double FRAMES_PER_SECOND = 50;

  String word;
  int[] tokens;
  double start;
  double end;
  final double probability;

  WordTiming(String word, int[] tokens, double start, double end, double probability) {
    this.word = word;
    this.tokens = tokens;
    this.start = start;
    this.end = end;
    this.probability = probability;
  }

  double duration() {
    return end - start;
  }

  /**
   * Words from aligned tokens (openai/whisper timing.py, find_alignment).
   *
   * @param textTokens n of them
   * @param startFrames n + 1; frame at which each token, and then the end of text, is entered
   * @param probabilities n
   */
  static List<WordTiming> of(
      Tokenizer tokenizer,
      WordSplitter splitter,
      int[] textTokens,
      int[] startFrames,
      float[] probabilities) {
    int[] withEnd = Arrays.copyOf(textTokens, textTokens.length + 1);
    withEnd[textTokens.length] = tokenizer.eot();
    List<WordSplitter.Piece> pieces = splitter.split(withEnd);
    List<WordTiming> words = new ArrayList<>(pieces.size());
    int from = 0;
    // The last piece holds the end of text.
    for (WordSplitter.Piece piece : pieces.subList(0, Math.max(0, pieces.size() - 1))) {
      int to = from + piece.tokens().length;
      double sum = 0;
      for (int i = from; i < to; i++) {
        sum += probabilities[i];
      }
      words.add(
          new WordTiming(
              piece.text(),
              piece.tokens(),
              startFrames[from] / FRAMES_PER_SECOND,
              startFrames[to] / FRAMES_PER_SECOND,
              sum / (to - from)));
      from = to;
    }
    return words;
  }
}
