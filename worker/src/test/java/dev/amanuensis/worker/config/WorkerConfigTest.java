package dev.amanuensis.worker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class WorkerConfigTest {
  private static WorkerConfig config(String mode, String attempts) {
    return WorkerConfig.of(
        Map.of(Setting.DELIVERY_MODE.key(), mode, Setting.MAX_ATTEMPTS.key(), attempts), Map.of());
  }

  @Test
  void attemptsThatABrokerWouldNotLiveToSeeAreRefusedInShareMode() {
    assertThatThrownBy(() -> config("share", "9"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("max.attempts is '9', must be at most 8");
    assertThat(config("share", "8").count(Setting.MAX_ATTEMPTS)).isEqualTo(8);
    assertThat(config("exactly-once", "20").count(Setting.MAX_ATTEMPTS)).isEqualTo(20);
  }
}
