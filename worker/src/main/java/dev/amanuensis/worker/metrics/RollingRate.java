package dev.amanuensis.worker.metrics;

import java.util.function.LongSupplier;

/** How much per second, over the last minute, in slots of a second. Thread-safe. */
public final class RollingRate {
  static final int SECONDS = 60;

  private final LongSupplier nanoTime;
  private final long started;
  private final double[] slots = new double[SECONDS];
  private long second;

  public RollingRate() {
    this(System::nanoTime);
  }

  RollingRate(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.started = nanoTime.getAsLong();
  }

  public synchronized void add(double amount) {
    advance();
    slots[(int) (second % SECONDS)] += amount;
  }

  /** Mean over the last minute, or over the time since the start where that is shorter. */
  public synchronized double perSecond() {
    advance();
    double sum = 0;
    for (double s : slots) {
      sum += s;
    }
    double lived = (nanoTime.getAsLong() - started) / 1e9;
    // The slot of the running second is not full yet.
    double covered = SECONDS - 1 + (lived - Math.floor(lived));
    return sum / Math.max(1, Math.min(lived, covered));
  }

  private void advance() {
    long now = (nanoTime.getAsLong() - started) / 1_000_000_000L;
    for (long s = Math.max(second + 1, now - SECONDS + 1); s <= now; s++) {
      slots[(int) (s % SECONDS)] = 0;
    }
    second = Math.max(second, now);
  }
}
