package dev.amanuensis.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.amanuensis.chaos.Timeline.Arrival;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimelineTest {
  @Test
  void recoveryIsTheLongestWaitOfAnyPartitionAfterTheFault() {
    List<Arrival> arrivals = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      arrivals.add(new Arrival(i, 0));
      if (i < 10 || i >= 16) { // its worker was killed at 9.5
        arrivals.add(new Arrival(i + 0.2, 1));
      }
    }
    Timeline timeline = new Timeline(arrivals);
    assertThat(timeline.recovery(9.5)).isCloseTo(16.2 - 9.5, within(1e-9));
    assertThat(timeline.recovery(30)).isCloseTo(1, within(1e-9));
  }

  @Test
  void rateIsOfTheTimeInWhichAFaultIsFelt() {
    List<Arrival> arrivals = new ArrayList<>();
    for (int i = 0; i <= 400; i++) {
      double at = i / 10.0;
      if (at < 20 || at >= 30 || i % 5 == 0) {
        arrivals.add(new Arrival(at, 0));
      }
    }
    Timeline timeline = new Timeline(arrivals);
    assertThat(timeline.rateDuring(List.of(20.0))).isCloseTo(2, within(0.2));
    assertThat(timeline.rateBetween(List.of(20.0))).isCloseTo(10, within(0.2));
    assertThat(timeline.rateDuring(List.of())).isNaN();
  }
}
