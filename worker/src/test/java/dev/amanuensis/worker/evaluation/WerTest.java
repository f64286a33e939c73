package dev.amanuensis.worker.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class WerTest {
  @Test
  void countsSubstitutionsInsertionsAndDeletions() {
    assertThat(Wer.distance(words("a b c"), words("a b c"))).isZero();
    assertThat(Wer.distance(words("a b c"), words("a x c"))).isEqualTo(1);
    assertThat(Wer.distance(words("a b c"), words("b c"))).isEqualTo(1);
    assertThat(Wer.distance(words("a b c"), words("a b b c"))).isEqualTo(1);
    assertThat(Wer.distance(words("a b c d"), words("b x d e"))).isEqualTo(3);
    assertThat(Wer.distance(List.of(), words("a b"))).isEqualTo(2);
    assertThat(Wer.distance(words("a b"), List.of())).isEqualTo(2);
  }

  private static List<String> words(String text) {
    return List.of(text.split(" "));
  }

  @Test
  void rateIsOverTheWholeCorpus() {
    Wer wer = new Wer(new EnglishNormalizer());
    assertThat(wer.add("Mr. Smith, it's two in here", "mister smith it is 2 there")).isEqualTo(2);
    assertThat(wer.add("yes", "no")).isEqualTo(1);
    assertThat(wer.edits()).isEqualTo(3);
    assertThat(wer.referenceWords()).isEqualTo(8);
    assertThat(wer.rate()).isEqualTo(0.375);
  }
}
