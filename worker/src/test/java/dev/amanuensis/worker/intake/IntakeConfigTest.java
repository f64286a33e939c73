package dev.amanuensis.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IntakeConfigTest {
  private static IntakeConfig retryingAfter(Duration first) {
    return new IntakeConfig(List.of(), Map.of(), Map.of(), 1, 1, 1, 1_000, first, "control");
  }

  @Test
  void retriesComeLaterEachTimeAndNeverCrowd() {
    IntakeConfig config = retryingAfter(Duration.ofSeconds(1));
    assertThat(config.retryAfter(0)).isEqualTo(Duration.ofSeconds(1));
    assertThat(config.retryAfter(3)).isEqualTo(Duration.ofSeconds(8));
    for (int retries : new int[] {9, 40, 63, 64, 999}) {
      assertThat(config.retryAfter(retries)).as("%d", retries).isEqualTo(Duration.ofMinutes(5));
    }
  }

  @Test
  void firstRetryMayBeLaterThanTheUsualLimit() {
    IntakeConfig config = retryingAfter(Duration.ofHours(1));
    assertThat(config.retryAfter(0)).isEqualTo(Duration.ofHours(1));
    assertThat(config.retryAfter(5)).isEqualTo(Duration.ofHours(1));
  }
}
