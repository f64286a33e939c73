package dev.amanuensis.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChaosRunTest {
  private static ChaosPlan.Step at(double share) {
    return new ChaosPlan.Step(Fault.STORM, share, 0);
  }

  @Test
  void faultThatTakesLongLeavesWorkForTheNextOne() {
    assertThat(ChaosRun.open(List.of(at(0.912), at(0.916)))).isGreaterThan(0.95).isLessThan(1);
    assertThat(ChaosRun.open(List.of(at(0.3), at(0.9)))).isEqualTo(0.45, within(1e-9));
    assertThat(ChaosRun.open(List.of())).isEqualTo(1);
  }

  @Test
  void everyFaultIsReachedHoweverManyFollow() {
    List<ChaosPlan.Step> many = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      many.add(at(0.9));
    }
    assertThat(ChaosRun.open(many)).isGreaterThan(0.92).isLessThan(1);
  }
}
