package dev.amanuensis.bench.pipeline;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A queue with Poisson arrivals and one server of constant service time (M/D/1): what waiting is
 * possible at a load, however good the software.
 */
record Queueing(double mean, double p50, double p99) {
  private static final int CUSTOMERS = 2_000_000;

  /**
   * Times are in units of the service time. The mean is exact (Pollaczek and Khinchine); the
   * quantiles are those of Lindley's recursion over two million customers.
   *
   * @param load arrivals per service time, below 1
   */
  static Queueing theory(double load) {
    SplittableRandom random = new SplittableRandom(1);
    float[] waits = new float[CUSTOMERS];
    double wait = 0;
    for (int i = 0; i < CUSTOMERS; i++) {
      waits[i] = (float) wait;
      wait = Math.max(0, wait + 1 - exponential(random, load));
    }
    Arrays.sort(waits);
    return new Queueing(
        load / (2 * (1 - load)), waits[CUSTOMERS / 2], waits[(int) (CUSTOMERS * 0.99)]);
  }

  /** Time between two arrivals. */
  static double exponential(SplittableRandom random, double rate) {
    return -Math.log(1 - random.nextDouble()) / rate;
  }

  /** Mean and quantiles of what was measured. */
  static Queueing measured(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Queueing(
        Arrays.stream(sorted).average().orElse(Double.NaN),
        sorted[sorted.length / 2],
        sorted[(int) (sorted.length * 0.99)]);
  }

  Queueing times(double factor) {
    return new Queueing(mean * factor, p50 * factor, p99 * factor);
  }
}
