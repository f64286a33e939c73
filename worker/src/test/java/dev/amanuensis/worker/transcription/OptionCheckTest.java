package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TestOptions;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class OptionCheckTest {
  private final Tokenizer tokenizer = TestTokenizer.base();

  private void refused(String message, Consumer<TestOptions> change) {
    TestOptions options = new TestOptions();
    change.accept(options);
    assertThatThrownBy(() -> new Transcription(options.build(), tokenizer, 16000, null))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_OPTION))
        .hasMessageContaining(message);
  }

  private void taken(Consumer<TestOptions> change) throws JobException {
    TestOptions options = new TestOptions();
    change.accept(options);
    OptionCheck.check(options.build(), tokenizer);
  }

  @Test
  void unknownLanguageNamesTheKnownOnes() {
    refused("unknown language \"xx\": use one of en zh de", o -> o.language = "xx");
    refused("unknown language", o -> o.language = "");
    refused("unknown language \"cantonese\"", o -> o.language = "cantonese");
    refused("%s...\"", o -> o.language = "%s".repeat(1000));
  }

  @Test
  void samplingOutOfRangeIsRefused() {
    refused("beam size 0: use 1 (greedy) to 15", o -> o.beamSize = 0);
    refused("beam size 16", o -> o.beamSize = 16);
    refused("best of 17", o -> o.bestOf = 17);
    refused("no temperature", o -> o.temperatures = List.of());
    refused("temperature -0.1", o -> o.temperatures = List.of(0f, -0.1f));
    refused(
        "temperature 7.0: use 0 (greedy or beam search) to 1",
        o -> o.temperatures = List.of(0f, 7f));
    refused("temperature NaN", o -> o.temperatures = List.of(Float.NaN));
    refused("patience 0.1", o -> o.patience = 0.1);
    refused("patience NaN", o -> o.patience = Double.NaN);
    refused("length penalty 1.5", o -> o.lengthPenalty = 1.5);
  }

  @Test
  void thresholdsThatAreNoNumbersAreRefused() {
    refused("compression ratio threshold NaN", o -> o.compressionRatioThreshold = Double.NaN);
    refused("no-speech threshold Infinity", o -> o.noSpeechThreshold = Double.POSITIVE_INFINITY);
    refused("maximum initial timestamp -1.0", o -> o.maxInitialTimestamp = -1.0);
    refused("needs word timestamps", o -> o.hallucinationSilenceThreshold = 2.0);
  }

  @Test
  void clipsPromptsAndTokensAreChecked() {
    refused("clip timestamp -1.0", o -> o.clipTimestamps = List.of(-1.0));
    refused("clip timestamp NaN", o -> o.clipTimestamps = List.of(Double.NaN));
    refused("clip from 5.0 to 4.0", o -> o.clipTimestamps = List.of(5.0, 4.0));
    refused("suppress token 51865", o -> o.suppressTokens = List.of(51865));
    refused("suppress token -2", o -> o.suppressTokens = List.of(-2));
    refused("more than 10000 characters", o -> o.initialPrompt = "a".repeat(10_001));
  }

  @Test
  void whatTheReferenceTakesIsTaken() throws JobException {
    taken(o -> {});
    taken(o -> o.language = "Spanish");
    taken(o -> o.language = null);
    taken(o -> o.clipTimestamps = List.of(5.0, 7.0, 1.0));
    taken(o -> o.suppressTokens = Collections.emptyList());
    taken(o -> o.beamSize = 5);
    taken(o -> o.maxInitialTimestamp = null);
  }
}
