package dev.amanuensis.worker.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SegmentTest {
  @Test
  void timesOfAPartStayWithinIt() {
    List<Word> words = List.of(new Word(" so", 39.9, 41, 0.9), new Word(" on", 44.5, 48, 0.8));
    Segment segment = new Segment(3, 4_000, 39.9, 48, " so on", List.of(1), 0, -1, 1, 0, words);
    Segment within = segment.within(7, 40, 45);
    assertThat(within.id()).isEqualTo(7);
    assertThat(within.start()).isEqualTo(40);
    assertThat(within.end()).isEqualTo(45);
    assertThat(within.words()).extracting(Word::start).containsExactly(40.0, 44.5);
    assertThat(within.words()).extracting(Word::end).containsExactly(41.0, 45.0);
  }
}
