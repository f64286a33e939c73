package dev.amanuensis.worker.metrics;

import java.time.Duration;
import java.util.Arrays;

/**
 * Upper bounds of the histograms. Chosen so that what an operator asks falls between two of them:
 * queueing near 20 ms, a window of a second, a job of minutes.
 */
final class Buckets {
  /** Waiting in a queue: 1 ms to 5 minutes. */
  static final Duration[] WAIT =
      millis(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000);

  /** A stage's work on a file or window: 1 ms to 10 minutes. */
  static final Duration[] SERVICE =
      millis(1, 5, 10, 15, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 15_000, 60_000, 600_000);

  /** One decoding step. */
  static final Duration[] STEP = millis(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000);

  /** A whole job: 100 ms to 6 hours. */
  static final Duration[] JOB =
      millis(
          100,
          250,
          500,
          1_000,
          2_500,
          5_000,
          10_000,
          30_000,
          60_000,
          300_000,
          900_000,
          3_600_000,
          21_600_000);

  /** Sequences in a decoding step. */
  static final double[] BATCH = {1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32, 64};

  private Buckets() {}

  private static Duration[] millis(long... bounds) {
    return Arrays.stream(bounds).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
  }
}
