package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A window's tokens cut into segments at pairs of timestamps (openai/whisper transcribe.py).
 *
 * @param segments mutable, in order
 * @param singleTimestampEnding the tokens end with one timestamp: no speech follows it in the
 *     window
 * @param nextSeek frame at which the next window starts, words not considered
 * @param rest tokens of an unfinished segment at the end, which the next window decodes again
 */
record WindowSegments(
    List<SegmentDraft> segments, boolean singleTimestampEnding, long nextSeek, int[] rest) {

  private static final int MOST_UNSAID_FRAMES = 3 * Geometry.FRAMES_PER_SECOND;

  static WindowSegments cut(Tokenizer tokenizer, DecodingResult result, long seek, int frames) {
    int[] tokens = result.tokens();
    int zero = tokenizer.timestampBegin();
    int n = tokens.length;
    boolean single = n >= 2 && tokens[n - 2] < zero && tokens[n - 1] >= zero;
    double offset = Geometry.seconds(seek);
    List<SegmentDraft> segments = new ArrayList<>();
    int done = 0;
    for (int i = 1; i <= n; i++) {
      boolean pair = i < n && tokens[i - 1] >= zero && tokens[i] >= zero;
      boolean tail = i == n && single && done > 0;
      if (pair || tail) {
        int[] slice = Arrays.copyOfRange(tokens, done, i);
        double start = offset + (slice[0] - zero) * Geometry.TIMESTAMP_SECONDS;
        double end = offset + (slice[slice.length - 1] - zero) * Geometry.TIMESTAMP_SECONDS;
        segments.add(segment(tokenizer, result, seek, start, end, slice));
        done = i;
      }
    }
    if (done == 0) {
      double end = offset + duration(tokens, zero, frames);
      segments.add(segment(tokenizer, result, seek, offset, end, tokens));
    }
    // The unfinished segment after the last pair is discarded and decoded again.
    long advance =
        done == 0 || single
            ? frames
            : (long) (tokens[done - 1] - zero) * Geometry.FRAMES_PER_TIMESTAMP;
    int[] rest = Arrays.copyOfRange(tokens, done == 0 ? n : done, n);
    return new WindowSegments(segments, single, seek + advance, rest);
  }

  /**
   * The same, but the next window begins where the text ends if that leaves out more than 3 s: of a
   * chunk of speech, what follows is speech, too.
   *
   * @param end of the window (10 ms)
   */
  WindowSegments goingOnAfterText(long end) {
    long textEnd = Math.round(segments.get(segments.size() - 1).end * Geometry.FRAMES_PER_SECOND);
    boolean unsaid = singleTimestampEnding && end - textEnd > MOST_UNSAID_FRAMES;
    return unsaid ? new WindowSegments(segments, true, textEnd, rest) : this;
  }

  /** Seconds of the only segment: up to its last timestamp, else the window's. */
  private static double duration(int[] tokens, int zero, int frames) {
    for (int i = tokens.length - 1; i >= 0; i--) {
      if (tokens[i] >= zero) {
        if (tokens[i] == zero) {
          break;
        }
        return (tokens[i] - zero) * Geometry.TIMESTAMP_SECONDS;
      }
    }
    return Geometry.seconds(frames);
  }

  private static SegmentDraft segment(
      Tokenizer tokenizer,
      DecodingResult result,
      long seek,
      double start,
      double end,
      int[] tokens) {
    String text = tokenizer.decode(textTokens(tokenizer, tokens));
    return new SegmentDraft(seek, start, end, tokens, text, result);
  }

  static int[] textTokens(Tokenizer tokenizer, int[] tokens) {
    return Arrays.stream(tokens).filter(t -> t < tokenizer.eot()).toArray();
  }
}
