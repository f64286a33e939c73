package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.amanuensis.worker.job.Chunking;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TestOptions;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionOptions.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TranscriptionTest {
  private static final int ZERO = 50364;

  private final Tokenizer tokenizer = TestTokenizer.base();
  private final TestOptions options = new TestOptions();

  private Transcription job(double seconds) throws JobException {
    return new Transcription(options.build(), tokenizer, Math.round(seconds * 16000), null);
  }

  private static DecodingResult said(int... tokens) {
    return new DecodingResult(tokens, "", -0.2, 0.1, 0.0, 1.0, 1, 1, 1f);
  }

  @Test
  void audioShorterThanAFrameHasNoWindows() throws JobException {
    for (double seconds : new double[] {0, 0.009}) {
      Transcription job = job(seconds);
      assertThat(job.next()).isEmpty();
      assertThat(job.result().segments()).isEmpty();
      assertThat(job.result().text()).isEmpty();
      assertThat(job.result().languageProbability()).isEqualTo(1.0);
    }
  }

  @Test
  void windowIsTheSameUntilItIsAccepted() throws JobException {
    Transcription job = job(31.239);
    WindowRequest window = job.next().orElseThrow();
    assertThat(job.next()).containsSame(window);
    assertThat(window.seek()).isZero();
    assertThat(window.frames()).isEqualTo(3000);
    assertThatThrownBy(job::result).isInstanceOf(IllegalStateException.class);
    assertThat(job.accept(said(ZERO, 2425, ZERO + 100))).isEmpty();
    assertThat(job.next().orElseThrow().frames()).isEqualTo(123);
    assertThat(job.partial()).hasSize(1);
    assertThat(job.seek()).isEqualTo(3000);
    job.accept(said(ZERO, 2425, ZERO + 50));
    assertThat(job.next()).isEmpty();
    assertThat(job.result().durationSeconds()).isEqualTo(31.239);
    assertThat(job.result().segments().get(1).start()).isEqualTo(30.0);
    assertThatThrownBy(() -> job.accept(said(ZERO))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void chunkOfSpeechGoesOnWhereItsTextEndsTooEarly() throws JobException {
    Chunk chunk = new Chunk(1000, 3500);
    for (Chunking chunking : List.of(Chunking.VAD, Chunking.FIXED)) {
      TranscriptionOptions chunked = options.build().with(List.of(), chunking);
      Transcription job = Transcription.ofChunk(chunked, tokenizer, 60 * 16000, null, chunk);
      List<Long> seeks = new ArrayList<>();
      for (Optional<WindowRequest> w = job.next(); w.isPresent(); w = job.next()) {
        seeks.add(w.get().seek());
        job.accept(said(ZERO, 2425, ZERO + (seeks.size() == 1 ? 100 : 1000)));
      }
      // 2 s of text in a window of 25 s, then 20 s in one of 23 s.
      assertThat(seeks)
          .isEqualTo(chunking == Chunking.VAD ? List.of(1000L, 1200L) : List.of(1000L));
    }
  }

  @Test
  void languageIsDetectedOnlyIfItIsNotGiven() throws JobException {
    assertThat(Transcription.detectsLanguage(options.build(), tokenizer)).isFalse();
    options.language = "German";
    options.task = Task.TRANSLATE;
    Transcription given = job(5);
    assertThat(given.language()).isEqualTo(new LanguageGuess("de", 1.0));
    assertThat(given.next().orElseThrow().decoding().language()).isEqualTo("de");
    options.language = null;
    assertThat(Transcription.detectsLanguage(options.build(), tokenizer)).isTrue();
    assertThatThrownBy(() -> job(5)).isInstanceOf(IllegalArgumentException.class);
    float[] probabilities = new float[99];
    probabilities[6] = 0.75f;
    LanguageGuess guess = LanguageGuess.of(tokenizer, probabilities);
    Transcription detected = new Transcription(options.build(), tokenizer, 160, guess);
    assertThat(detected.language()).isEqualTo(new LanguageGuess("fr", 0.75));
  }

  @Test
  void alignmentIsAskedForTheWindowsText() throws JobException {
    options.wordTimestamps = true;
    Transcription job = job(10);
    job.next();
    int[] tokens = {ZERO, 400, 370, ZERO + 100, ZERO + 100, 452, ZERO + 200};
    AlignmentRequest request = job.accept(said(tokens)).orElseThrow();
    assertThat(request.sotSequence()).containsExactly(50258, 50259, 50359);
    assertThat(request.textTokens()).containsExactly(400, 370, 452);
    assertThat(request.frames()).isEqualTo(1000);
    assertThatThrownBy(() -> job.acceptAlignment(new int[3], new float[3]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> job.accept(said(tokens))).isInstanceOf(IllegalStateException.class);
    job.acceptAlignment(new int[] {10, 40, 70, 100}, new float[] {0.5f, 0.25f, 1f});
    assertThat(job.partial().get(0).words())
        .extracting("text", "start", "end", "probability")
        .containsExactly(tuple(" And", 0.2, 0.8, 0.5), tuple(" so", 0.8, 1.4, 0.25));
    assertThat(job.partial().get(1).start()).isEqualTo(1.4);
    assertThat(job.partial().get(1).end()).isEqualTo(2.0);
  }

  @Test
  void wordsThatEndWhereTheWindowStartsDoNotStopTheJob() throws JobException {
    options.wordTimestamps = true;
    Transcription job = job(65);
    List<Long> seeks = new ArrayList<>();
    for (Optional<WindowRequest> w = job.next(); w.isPresent(); w = job.next()) {
      seeks.add(w.get().seek());
      assertThat(seeks).hasSizeLessThan(10);
      job.accept(said(ZERO, 2425)).orElseThrow();
      job.acceptAlignment(new int[] {0, 0}, new float[] {0.5f});
    }
    assertThat(seeks).containsExactly(0L, 3000L, 6000L);
  }

  @Test
  void windowTooShortToAlignHasNoWords() throws JobException {
    options.wordTimestamps = true;
    Transcription job = job(0.015);
    assertThat(job.next().orElseThrow().frames()).isEqualTo(1);
    assertThat(job.accept(said(ZERO, 2425, ZERO + 1))).isEmpty();
    assertThat(job.next()).isEmpty();
    assertThat(job.result().segments().get(0).words()).isEmpty();
  }

  @Test
  void clipsEndWithTheFileAndMayGoBack() throws JobException {
    options.clipTimestamps = List.of(8.0, 900.0, 1.0, 2.5);
    Transcription job = job(10);
    WindowRequest first = job.next().orElseThrow();
    assertThat(List.of(first.seek(), (long) first.frames())).containsExactly(800L, 200L);
    job.accept(said(ZERO, 2425, ZERO + 50));
    WindowRequest second = job.next().orElseThrow();
    assertThat(List.of(second.seek(), (long) second.frames())).containsExactly(100L, 150L);
    job.accept(said(ZERO, 2425, ZERO + 50));
    assertThat(job.next()).isEmpty();
  }

  @Test
  void clipBeyondTheEndIsEmpty() throws JobException {
    options.clipTimestamps = List.of(11.0);
    assertThat(job(10).next()).isEmpty();
  }

  @Test
  void blankPromptIsNone() throws JobException {
    options.initialPrompt = "  ";
    assertThat(job(10).next().orElseThrow().decoding().prompt()).isEmpty();
    options.initialPrompt = " And so ";
    assertThat(job(10).next().orElseThrow().decoding().prompt()).containsExactly(400, 370);
  }

  @Test
  void hotWindowsAreNotContinuedFrom() throws JobException {
    Transcription job = job(100);
    for (double temperature : new double[] {0.4, 0.6}) {
      job.next();
      int[] tokens = {ZERO, 2425, ZERO + 50};
      job.accept(new DecodingResult(tokens, "", -0.2, 0.1, temperature, 1.0, 1, 1, 1f));
      assertThat(job.next().orElseThrow().decoding().prompt()).hasSize(temperature > 0.5 ? 0 : 3);
    }
  }
}
