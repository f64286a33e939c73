package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.transcription.SegmentDraft.WordDraft;
import java.util.List;

/**
 * Gives the segments of a window their words, with the reference's corrections of words that are
 * too long (openai/whisper timing.py, add_word_timestamps).
 */
final class WordTimestamps {
  /** In Python, {@code word in marks} is a substring test, which the empty word passes as well. */
  static final String PREPENDED = "\"'“¿([{-";

  static final String APPENDED = "\"'.。,，!！?？:：”)]}、";
  private static final String SENTENCE_ENDS = ".。!！?？";

  private final List<WordTiming> timings;
  private final double medianDuration;
  private final double maxDuration;

  private WordTimestamps(List<WordTiming> timings) {
    this.timings = timings;
    double[] durations =
        timings.stream().mapToDouble(WordTiming::duration).filter(d -> d != 0).sorted().toArray();
    this.medianDuration = Math.min(0.7, median(durations));
    this.maxDuration = medianDuration * 2;
    if (durations.length > 0) {
      shortenAtSentenceEnds();
    }
    mergePunctuation(timings);
  }

  /**
   * Sets words, start and end of the segments.
   *
   * @param timings of all words of the window; changed
   * @param seek frame at which the window starts
   * @param lastSpeech second at which the last word before the window ends
   */
  static void add(
      List<SegmentDraft> segments,
      List<WordTiming> timings,
      Tokenizer tokenizer,
      long seek,
      double lastSpeech) {
    WordTimestamps words = new WordTimestamps(timings);
    double offset = Geometry.seconds(seek);
    double speech = lastSpeech;
    int next = 0;
    for (SegmentDraft segment : segments) {
      int wanted = WindowSegments.textTokens(tokenizer, segment.tokens).length;
      next = words.assign(segment, wanted, next, offset);
      if (!segment.words.isEmpty()) {
        words.shortenAfterPause(segment, speech);
        words.fitStart(segment);
        words.fitEnd(segment);
        speech = segment.end;
      }
    }
  }

  private static double median(double[] sorted) {
    int n = sorted.length;
    if (n == 0) {
      return 0;
    }
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }

  private void shortenAtSentenceEnds() {
    for (int i = 1; i < timings.size(); i++) {
      WordTiming timing = timings.get(i);
      if (timing.duration() > maxDuration) {
        if (SENTENCE_ENDS.contains(timing.word)) {
          timing.end = timing.start + maxDuration;
        } else if (SENTENCE_ENDS.contains(timings.get(i - 1).word)) {
          timing.start = timing.end - maxDuration;
        }
      }
    }
  }

  /** Joins punctuation to its word; the joined place stays in the list, empty. */
  static void mergePunctuation(List<WordTiming> timings) {
    int following = timings.size() - 1;
    for (int i = timings.size() - 2; i >= 0; i--) {
      WordTiming mark = timings.get(i);
      WordTiming word = timings.get(following);
      if (mark.word.startsWith(" ") && PREPENDED.contains(PythonText.strip(mark.word))) {
        word.word = mark.word + word.word;
        word.tokens = WordSplitter.concat(mark.tokens, word.tokens);
        mark.word = "";
        mark.tokens = new int[0];
      } else {
        following = i;
      }
    }
    int previous = 0;
    for (int i = 1; i < timings.size(); i++) {
      WordTiming word = timings.get(previous);
      WordTiming mark = timings.get(i);
      if (!word.word.endsWith(" ") && APPENDED.contains(mark.word)) {
        word.word = word.word + mark.word;
        word.tokens = WordSplitter.concat(word.tokens, mark.tokens);
        mark.word = "";
        mark.tokens = new int[0];
      } else {
        previous = i;
      }
    }
  }

  /**
   * Moves timings into the segment until its tokens are used up; returns the next timing's index.
   */
  private int assign(SegmentDraft segment, int wanted, int first, double offset) {
    segment.words.clear();
    int next = first;
    int saved = 0;
    while (next < timings.size() && saved < wanted) {
      WordTiming timing = timings.get(next++);
      if (!timing.word.isEmpty()) {
        segment.words.add(
            new WordDraft(
                timing.word,
                hundredths(offset + timing.start),
                hundredths(offset + timing.end),
                timing.probability));
      }
      saved += timing.tokens.length;
    }
    return next;
  }

  /** numpy's round(x, 2): half to even on the scaled value. */
  private static double hundredths(double seconds) {
    return Math.rint(seconds * 100) / 100;
  }

  /** The first and second word after a pause are at most twice the median long. */
  private void shortenAfterPause(SegmentDraft segment, double lastSpeech) {
    WordDraft first = segment.first();
    WordDraft second = segment.words.size() > 1 ? segment.words.get(1) : null;
    boolean pause = first.end - lastSpeech > medianDuration * 4;
    boolean tooLong =
        first.end - first.start > maxDuration
            || (second != null && second.end - first.start > maxDuration * 2);
    if (!pause || !tooLong) {
      return;
    }
    if (second != null && second.end - second.start > maxDuration) {
      double boundary = Math.max(second.end / 2, second.end - maxDuration);
      first.end = boundary;
      second.start = boundary;
    }
    first.start = Math.max(0, first.end - maxDuration);
  }

  /** The segment's start is better than that of a first word which begins long before it. */
  private void fitStart(SegmentDraft segment) {
    WordDraft first = segment.first();
    if (segment.start < first.end && segment.start - 0.5 > first.start) {
      first.start = Math.max(0, Math.min(first.end - medianDuration, segment.start));
    } else {
      segment.start = first.start;
    }
  }

  /** The segment's end is better than that of a last word which lasts long after it. */
  private void fitEnd(SegmentDraft segment) {
    WordDraft last = segment.last();
    if (segment.end > last.start && segment.end + 0.5 < last.end) {
      last.end = Math.max(last.start + medianDuration, segment.end);
    } else {
      segment.end = last.end;
    }
  }
}
