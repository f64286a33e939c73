package dev.amanuensis.worker.intake;

import java.time.Duration;

/** When something that failed may be tried again. Belongs to the loop thread. */
final class Backoff {
  private static final long LONGEST_NANOS = Duration.ofSeconds(2).toNanos();

  private final long firstNanos;
  private long nextNanos;
  private long until = System.nanoTime();

  Backoff(Duration first) {
    this.firstNanos = first.toNanos();
    this.nextNanos = firstNanos;
  }

  boolean over() {
    return System.nanoTime() - until >= 0;
  }

  void failed() {
    until = System.nanoTime() + nextNanos;
    nextNanos = Math.min(LONGEST_NANOS, 2 * nextNanos);
  }

  void succeeded() {
    nextNanos = firstNanos;
    skip();
  }

  /** The next try is due now. */
  void skip() {
    until = System.nanoTime();
  }
}
