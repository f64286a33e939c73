package dev.amanuensis.cli.format;

import java.util.List;

/**
 * What is printed of one file's transcript: openai/whisper's result, plus the file.
 *
 * @param file as the user named it
 * @param language code, for example "en"
 * @param duration of the audio in seconds
 */
public record TranscriptDocument(
    String file, String text, String language, double duration, List<Segment> segments) {
  public TranscriptDocument {
    segments = List.copyOf(segments);
  }

  /** Whether words were asked for; openai/whisper's writers look at the first segment as well. */
  public boolean hasWords() {
    return !segments.isEmpty() && segments.get(0).words() != null;
  }

  /**
   * A segment with openai/whisper's fields.
   *
   * @param seek frame (10 ms) at which its window started
   * @param start seconds from the start of the file
   * @param tokens of the segment, timestamp tokens included
   * @param words null unless word timestamps were asked for
   */
  public record Segment(
      int id,
      long seek,
      double start,
      double end,
      String text,
      List<Integer> tokens,
      double temperature,
      double avgLogprob,
      double compressionRatio,
      double noSpeechProb,
      List<Word> words) {
    public Segment {
      tokens = List.copyOf(tokens);
      words = words == null ? null : List.copyOf(words);
    }
  }

  /**
   * A word with its times in seconds.
   *
   * @param word with its leading space
   */
  public record Word(String word, double start, double end, double probability) {}
}
