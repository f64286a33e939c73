package dev.amanuensis.worker.job;

import java.util.List;

/**
 * A segment with openai/whisper's fields.
 *
 * @param seek frame (10 ms) at which its window started
 * @param start seconds from the start of the file
 * @param tokens of the segment, timestamp tokens included
 * @param words empty unless word timestamps were asked for
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
    words = List.copyOf(words);
  }

  /** The same under this number, with no time before or after these, its words' too. */
  public Segment within(int number, double first, double last) {
    return new Segment(
        number,
        seek,
        clamp(start, first, last),
        clamp(end, first, last),
        text,
        tokens,
        temperature,
        avgLogprob,
        compressionRatio,
        noSpeechProb,
        words.stream()
            .map(
                w ->
                    new Word(
                        w.text(),
                        clamp(w.start(), first, last),
                        clamp(w.end(), first, last),
                        w.probability()))
            .toList());
  }

  private static double clamp(double time, double first, double last) {
    return Math.max(first, Math.min(last, time));
  }
}
