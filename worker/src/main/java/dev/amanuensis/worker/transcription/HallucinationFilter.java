package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.transcription.SegmentDraft.WordDraft;
import java.util.List;

/**
 * Skips silence around segments whose words look invented: very short, very long, improbable
 * (openai/whisper transcribe.py, hallucination_silence_threshold).
 *
 * @param threshold seconds of silence
 * @param seek frame at which the window starts
 * @param frames of audio in the window
 * @param contentFrames of the file
 * @param lastSpeech second at which the last word before the window ends
 */
record HallucinationFilter(
    double threshold, long seek, int frames, long contentFrames, double lastSpeech) {
  private static final String PUNCTUATION = WordTimestamps.PREPENDED + WordTimestamps.APPENDED;
  private static final int WORDS_JUDGED = 8;

  /**
   * @param seek frame of the next window
   * @param dropped nothing of the window is kept
   */
  record Verdict(long seek, boolean dropped) {}

  /** Decides on the window; may remove segments from the end of the list. */
  Verdict apply(List<SegmentDraft> segments, boolean singleTimestampEnding, long nextSeek) {
    double offset = Geometry.seconds(seek);
    double windowEnd = Geometry.seconds(seek + Geometry.WINDOW_FRAMES);
    long next = nextSeek;
    Double lastWordEnd = SegmentDraft.endOf(segments);
    if (!singleTimestampEnding && lastWordEnd != null && lastWordEnd > offset) {
      next = windowEnd - lastWordEnd > threshold ? frame(lastWordEnd) : seek + frames;
    }
    SegmentDraft first = nextWithWords(segments, 0);
    if (first != null && anomalous(first) && first.start - offset > threshold) {
      return new Verdict(seek + frame(first.start - offset), true);
    }
    double lastEnd = lastSpeech;
    for (int i = 0; i < segments.size(); i++) {
      SegmentDraft segment = segments.get(i);
      if (segment.words.isEmpty()) {
        continue;
      }
      if (anomalous(segment) && surrounded(segments, i, lastEnd, offset, windowEnd)) {
        next =
            Geometry.seconds(contentFrames) - segment.end < threshold
                ? contentFrames
                : frame(Math.max(offset + 1, segment.start));
        segments.subList(i, segments.size()).clear();
        break;
      }
      lastEnd = segment.end;
    }
    return new Verdict(next, false);
  }

  /** Whether silence or more anomalies lie on both sides of segment i. */
  private boolean surrounded(
      List<SegmentDraft> segments, int i, double lastEnd, double offset, double windowEnd) {
    SegmentDraft segment = segments.get(i);
    SegmentDraft following = nextWithWords(segments, i + 1);
    double nextStart =
        following != null ? following.first().start : offset + Geometry.seconds(frames);
    boolean before =
        segment.start - lastEnd > threshold
            || segment.start < threshold
            || segment.start - offset < 2.0;
    boolean after =
        nextStart - segment.end > threshold
            || (following != null && anomalous(following))
            || windowEnd - segment.end < 2.0;
    return before && after;
  }

  private static SegmentDraft nextWithWords(List<SegmentDraft> segments, int from) {
    for (SegmentDraft segment : segments.subList(from, segments.size())) {
      if (!segment.words.isEmpty()) {
        return segment;
      }
    }
    return null;
  }

  private static boolean anomalous(SegmentDraft segment) {
    List<WordDraft> words =
        segment.words.stream()
            .filter(w -> !PUNCTUATION.contains(w.text))
            .limit(WORDS_JUDGED)
            .toList();
    double score = 0;
    for (WordDraft word : words) {
      score += anomaly(word);
    }
    return score >= 3 || score + 0.01 >= words.size();
  }

  private static double anomaly(WordDraft word) {
    double duration = word.end - word.start;
    double score = word.probability < 0.15 ? 1.0 : 0.0;
    if (duration < 0.133) {
      score += (0.133 - duration) * 15;
    }
    if (duration > 2.0) {
      score += duration - 2.0;
    }
    return score;
  }

  private static long frame(double seconds) {
    return (long) Math.rint(seconds * Geometry.FRAMES_PER_SECOND);
  }
}
