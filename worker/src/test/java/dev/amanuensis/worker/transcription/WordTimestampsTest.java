package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordTimestampsTest {
  private final Tokenizer tokenizer = TestTokenizer.base();
  private final List<WordTiming> timings = new ArrayList<>();

  private void word(String text, double start, double end) {
    timings.add(new WordTiming(text, tokenizer.encode(text), start, end, 0.5));
  }

  /** One segment of all words, in a window at 10 s, spoken without a pause before. */
  private SegmentDraft segment(double start, double end) {
    TokenList tokens = new TokenList();
    timings.forEach(t -> tokens.addAll(t.tokens));
    SegmentDraft segment = new SegmentDraft(1000, start, end, tokens.from(0), "", null);
    WordTimestamps.add(List.of(segment), timings, tokenizer, 1000, 10.0);
    return segment;
  }

  @Test
  void segmentTakesTheTimesOfItsWords() {
    word(" And", 0.0, 0.4);
    word(" so", 0.4, 0.8);
    // Less than half a second off: the words know better.
    SegmentDraft segment = segment(10.45, 10.35);
    assertThat(segment.start).isEqualTo(10.0);
    assertThat(segment.end).isEqualTo(10.8);
    assertThat(segment.last().end).isEqualTo(10.8);
  }

  @Test
  void firstWordDoesNotBeginLongBeforeItsSegment() {
    word(" And", 0.0, 1.2);
    word(" so", 1.2, 1.6);
    word(" my", 1.6, 2.0);
    SegmentDraft segment = segment(10.6, 12.0);
    assertThat(segment.start).isEqualTo(10.6);
    assertThat(segment.first().start).isEqualTo(10.6);
  }

  @Test
  void lastWordDoesNotEndLongAfterItsSegment() {
    word(" And", 0.0, 0.4);
    word(" so", 0.4, 0.8);
    word(" my", 0.8, 2.0);
    SegmentDraft segment = segment(10.0, 11.4);
    assertThat(segment.end).isEqualTo(11.4);
    assertThat(segment.last().end).isEqualTo(11.4);
  }

  @Test
  void lastWordKeepsAMedianDuration() {
    word(" And", 0.0, 0.4);
    word(" so", 0.4, 0.8);
    word(" my", 0.8, 2.0);
    SegmentDraft segment = segment(10.0, 10.9);
    assertThat(segment.last().end).isEqualTo(10.8 + (11.2 - 10.8), within(0.001));
  }

  @Test
  void punctuationJoinsItsWord() {
    for (String text : List.of(" (", "and", ",", " \"", " so", "!", "\"", " -", " my")) {
      word(text, 0, 0.2);
    }
    WordTimestamps.mergePunctuation(timings);
    assertThat(timings)
        .extracting(t -> t.word)
        .containsExactly("", " (and,", "", "", " \" so!\"", "", "", "", " - my");
    assertThat(timings.get(1).tokens).hasSize(3);
    assertThat(timings.get(2).tokens).isEmpty();
  }
}
