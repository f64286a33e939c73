package dev.amanuensis.worker.transcription;

/**
 * Whether a result looks as if the approximation of its window's padding had a part in it. The
 * window is then encoded in full and decided again: real speech that is read well never comes here,
 * noise, silence, repetition and a text that stops before the audio do. The bounds are no looser
 * than those of the temperature fallback (openai/whisper transcribe.py: 2.4, -1.0, 0.6) and were
 * chosen on clips where both ways differ; docs/speed.md.
 */
public final class Doubt {
  private static final double MOST_COMPRESSION = 2.0;
  private static final double LEAST_LOGPROB = -0.85;
  private static final double MOST_NO_SPEECH = 0.6;
  private static final int MOST_UNSAID_FRAMES = 150;
  private static final double LEAST_LANGUAGE = 0.6;

  private Doubt() {}

  /**
   * Of the first attempt over a window.
   *
   * @param frames (10 ms) of audio in the window
   */
  public static boolean of(DecodingResult result, Tokenizer tokenizer, int frames) {
    return result.compressionRatio() > MOST_COMPRESSION
        || result.avgLogprob() < LEAST_LOGPROB
        || result.noSpeechProb() > MOST_NO_SPEECH
        || unsaid(result.tokens(), tokenizer, frames) > MOST_UNSAID_FRAMES;
  }

  /**
   * Frames of audio after the last timestamp: what a text that ends too early leaves out. None
   * where a pair of timestamps ends it: the next window begins there.
   */
  private static int unsaid(int[] tokens, Tokenizer tokenizer, int frames) {
    int n = tokens.length;
    if (n >= 2 && isTimestamp(tokens[n - 1], tokenizer) && isTimestamp(tokens[n - 2], tokenizer)) {
      return 0;
    }
    for (int i = tokens.length - 1; i >= 0; i--) {
      if (isTimestamp(tokens[i], tokenizer)) {
        int timestamp = tokens[i] - tokenizer.timestampBegin();
        return frames - timestamp * Geometry.FRAMES_PER_TIMESTAMP;
      }
    }
    return tokens.length == 0 ? frames : 0;
  }

  private static boolean isTimestamp(int token, Tokenizer tokenizer) {
    return token >= tokenizer.timestampBegin();
  }

  /** Of a language detected on such a window. */
  public static boolean of(LanguageGuess guess) {
    return guess.probability() < LEAST_LANGUAGE;
  }
}
