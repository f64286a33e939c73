package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.Word;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A segment of the current window whose times and words may still change. Times in seconds. */
final class SegmentDraft {
  final long seek;
  final DecodingResult result;
  int[] tokens;
  String text;
  double start;
  double end;
  List<WordDraft> words = new ArrayList<>();

  /** A word of a segment. Times in seconds from the start of the file. */
  static final class WordDraft {
    final String text;
    final double probability;
    double start;
    double end;

    WordDraft(String text, double start, double end, double probability) {
      this.text = text;
      this.start = start;
      this.end = end;
      this.probability = probability;
    }
  }

  SegmentDraft(
      long seek, double start, double end, int[] tokens, String text, DecodingResult result) {
    this.seek = seek;
    this.start = start;
    this.end = end;
    this.tokens = tokens;
    this.text = text;
    this.result = result;
  }

  WordDraft first() {
    return words.get(0);
  }

  WordDraft last() {
    return words.get(words.size() - 1);
  }

  /** Empties a segment that is instantaneous or blank: it stays in the list, not in the history. */
  void clearIfBlank() {
    if (start == end || PythonText.strip(text).isEmpty()) {
      text = "";
      tokens = new int[0];
      words = new ArrayList<>();
    }
  }

  Segment finish(int id) {
    return new Segment(
        id,
        seek,
        start,
        end,
        text,
        Arrays.stream(tokens).boxed().toList(),
        result.temperature(),
        result.avgLogprob(),
        result.compressionRatio(),
        result.noSpeechProb(),
        words.stream().map(w -> new Word(w.text, w.start, w.end, w.probability)).toList());
  }

  /** End of the last word, or of the last segment if there are no words; null without segments. */
  static Double endOf(List<SegmentDraft> segments) {
    for (int i = segments.size() - 1; i >= 0; i--) {
      if (!segments.get(i).words.isEmpty()) {
        return segments.get(i).last().end;
      }
    }
    return segments.isEmpty() ? null : segments.get(segments.size() - 1).end;
  }
}
