package dev.amanuensis.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class QueueingTest {
  @Test
  void quantilesAreThoseOfTheExactDistribution() {
    // P(wait = 0) = 1 - load, so the median is 0 below a load of one half.
    assertThat(Queueing.theory(0.4).p50()).isZero();
    assertThat(Queueing.theory(0.6).mean()).isCloseTo(0.75, within(1e-12));
    // Erlang's formula gives P(wait <= 1) = (1 - load) e^load: 0.7289 at 0.6.
    assertThat(Queueing.theory(0.6).p50()).isBetween(0.2, 0.8);
    assertThat(Queueing.theory(0.9).p99()).isCloseTo(21, within(2.0));
  }

  @Test
  void trendFindsASlopeAndSaysHowSureItIs() {
    SplittableRandom random = new SplittableRandom(1);
    List<double[]> rising = new ArrayList<>();
    List<double[]> flat = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      double noise = random.nextDouble() - 0.5;
      rising.add(new double[] {i, 0.01 * i + noise});
      flat.add(new double[] {i, 300 + noise});
    }
    Trend up = Trend.of(rising);
    assertThat(up.slope()).isCloseTo(0.01, within(up.margin()));
    assertThat(up.slope()).isGreaterThan(up.margin());
    assertThat(Math.abs(Trend.of(flat).slope())).isLessThan(2 * Trend.of(flat).margin());
  }
}
