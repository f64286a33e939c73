package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.device.DeviceStatistics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Duty and efficiency of the last seconds, where a device's own numbers are means since its start.
 * It compares with what it was asked before, so its window is from 10 s up to the distance between
 * two scrapes. Thread-safe.
 */
public final class DeviceWindow {
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(10);

  private record Sample(long at, DeviceStatistics device) {}

  private final Supplier<DeviceStatistics> source;
  private final LongSupplier nanoTime;
  private final Deque<Sample> samples = new ArrayDeque<>();

  public DeviceWindow(Supplier<DeviceStatistics> source) {
    this(source, System::nanoTime);
  }

  DeviceWindow(Supplier<DeviceStatistics> source, LongSupplier nanoTime) {
    this.source = source;
    this.nanoTime = nanoTime;
  }

  /** Busy time per wall time of a lane. */
  public double duty() {
    return last().duty();
  }

  /** Useful operations per second of busy time as a share of the peak; NaN if unknown or idle. */
  public double efficiency() {
    return last().efficiency();
  }

  private synchronized DeviceStatistics last() {
    long now = nanoTime.getAsLong();
    DeviceStatistics d = source.get();
    samples.addLast(new Sample(now, d));
    // The oldest one that still is 10 s old is the base.
    while (samples.size() > 2 && now - second().at() >= WINDOW_NANOS) {
      samples.removeFirst();
    }
    if (samples.size() > 1_000) { // scraped without pause
      samples.remove(second());
    }
    DeviceStatistics base = samples.getFirst().device();
    Duration wall = d.uptime().minus(base.uptime());
    return wall.isZero() || wall.isNegative()
        ? d
        : new DeviceStatistics(
            d.description(),
            d.simulated(),
            d.lanes(),
            wall,
            d.windows() - base.windows(),
            d.failures() - base.failures(),
            d.retried() - base.retried(),
            d.busy().minus(base.busy()),
            d.operations(),
            d.peakPerSecond());
  }

  private Sample second() {
    var i = samples.iterator();
    i.next();
    return i.next();
  }
}
