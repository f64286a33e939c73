package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DoubtTest {
  private static final int END = 400;

  private final Tokenizer tokenizer = TestTokenizer.base();

  private boolean doubtful(double logprob, double noSpeech, double compression, int lastFrame) {
    int[] tokens = {tokenizer.timestampBegin(), 2425, tokenizer.timestampBegin() + lastFrame / 2};
    return Doubt.of(
        new DecodingResult(tokens, "", logprob, noSpeech, 0, compression, 1, 10, 1f),
        tokenizer,
        END);
  }

  @Test
  void wellReadSpeechIsTaken() {
    assertThat(doubtful(-0.3, 0.02, 1.5, END)).isFalse();
    assertThat(Doubt.of(new LanguageGuess("en", 0.98))).isFalse();
  }

  @Test
  void repetitionNoiseAndSilenceAreDoubtful() {
    assertThat(doubtful(-0.1, 0.02, 8.0, END)).isTrue();
    assertThat(doubtful(-0.9, 0.02, 1.5, END)).isTrue();
    assertThat(doubtful(-0.3, 0.7, 1.5, END)).isTrue();
    assertThat(Doubt.of(new LanguageGuess("ro", 0.4))).isTrue();
  }

  @Test
  void aTextThatStopsBeforeTheAudioIsDoubtful() {
    assertThat(doubtful(-0.3, 0.02, 1.5, END - 160)).isTrue();
    assertThat(doubtful(-0.3, 0.02, 1.5, END - 140)).isFalse();
    DecodingResult nothing = new DecodingResult(new int[0], "", -0.3, 0.02, 0, 0.5, 1, 10, 1f);
    assertThat(Doubt.of(nothing, tokenizer, END)).isTrue();
  }

  @Test
  void aTextThatGoesOnInTheNextWindowIsTaken() {
    int at = tokenizer.timestampBegin() + (END - 300) / 2;
    DecodingResult result =
        new DecodingResult(new int[] {1, at, at}, "", -0.3, 0.02, 0, 1.5, 1, 10, 1f);
    assertThat(Doubt.of(result, tokenizer, END)).isFalse();
  }
}
