package dev.amanuensis.worker.intake;

import java.time.Duration;

/** When something that failed may be tried again. Belongs to the loop thread. */
final class Backoff {
  private static final Duration LONGEST = Duration.ofSeconds(2);

  private final long firstNanos;
  private final long longestNanos;
  private long nextNanos;
  private long until = System.nanoTime();

  Backoff(Duration first) {
    this(first, LONGEST);
  }

  Backoff(Duration first, Duration longest) {
    this.firstNanos = first.toNanos();
    this.longestNanos = longest.toNanos();
    this.nextNanos = firstNanos;
  }

  boolean over() {
    return System.nanoTime() - until >= 0;
  }

  void failed() {
    until = System.nanoTime() + nextNanos;
    nextNanos = Math.min(longestNanos, 2 * nextNanos);
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
