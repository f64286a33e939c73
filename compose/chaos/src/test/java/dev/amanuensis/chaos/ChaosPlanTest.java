package dev.amanuensis.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChaosPlanTest {
  private static ChaosPlan plan(long seed) {
    Map<Fault, Integer> faults = Map.of(Fault.KILL, 30, Fault.BROKER, 3, Fault.STORM, 1);
    return ChaosPlan.of(
        new ChaosOptions(
            10_000,
            1,
            0,
            3,
            3,
            seed,
            faults,
            false,
            List.of(),
            0,
            Duration.ofSeconds(90),
            Path.of("data"),
            Map.of()));
  }

  @Test
  void sameSeedGivesTheSameFaultsAtTheSameTime() {
    assertThat(plan(7)).isEqualTo(plan(7)).isNotEqualTo(plan(8));
  }

  @Test
  void everyFaultHappensWhileThereIsWorkAndInOrder() {
    List<ChaosPlan.Step> steps = plan(7).steps();
    assertThat(steps).hasSize(34);
    assertThat(steps).allMatch(s -> s.at() > 0 && s.at() < 0.95);
    assertThat(steps).isSortedAccordingTo(Comparator.comparingDouble(ChaosPlan.Step::at));
    assertThat(steps).filteredOn(s -> s.fault() == Fault.BROKER).hasSize(3);
  }
}
