package dev.amanuensis.worker.metrics;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A value for all the meters of one scrape: taken again when it is older than that. Thread-safe.
 */
final class Recent<T> implements Supplier<T> {
  private static final long KEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final Supplier<T> source;
  private T value;
  private long takenAt;

  Recent(Supplier<T> source) {
    this.source = source;
  }

  @Override
  public synchronized T get() {
    long now = System.nanoTime();
    if (value == null || now - takenAt > KEPT_NANOS) {
      value = source.get();
      takenAt = now;
    }
    return value;
  }
}
