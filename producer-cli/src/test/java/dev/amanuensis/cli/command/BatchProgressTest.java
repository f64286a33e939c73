package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BatchProgressTest {
  private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

  @Test
  void lineTellsHowFarHowFastAndHowLongStill() {
    BatchProgress progress = new BatchProgress();
    progress.submitted(1000);
    progress.submitted(1000);
    progress.submitted(2000);
    progress.answered(1000, true, 60);
    assertThat(progress.line(TEN_SECONDS))
        .contains("1/3 files")
        .contains("6.0x")
        .contains("ETA 30 s");
    progress.answered(1000, false, 0);
    assertThat(progress.line(TEN_SECONDS)).contains("2/3 files, 1 failed").contains("ETA 10 s");
  }

  @Test
  void nothingIsForetoldBeforeTheFirstAnswer() {
    BatchProgress progress = new BatchProgress();
    progress.submitted(1000);
    assertThat(progress.line(TEN_SECONDS)).doesNotContain("ETA").doesNotContain("x ");
  }

  @Test
  void summaryCountsWhatHasNoTranscriptAsFailed() {
    BatchProgress progress = new BatchProgress();
    for (int i = 0; i < 3; i++) {
      progress.submitted(10);
    }
    progress.answered(10, true, 90);
    progress.answered(10, false, 0);
    assertThat(progress.summary(TEN_SECONDS))
        .isEqualTo("1 of 3 files done, 2 failed; 1 min 30 s of audio in 10 s (9.0 x realtime)");
  }
}
