package dev.amanuensis.worker.device;

import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/** Counts what a device does. Thread-safe. */
public final class DeviceMeter {
  private final long opened = System.nanoTime();
  private final LongAdder windows = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder busy = new LongAdder();

  /** A window was encoded, or failed, after so long on the device. */
  public void add(long nanos, boolean failed) {
    (failed ? failures : windows).increment();
    busy.add(nanos);
  }

  /**
   * @param lanes windows that the device runs at once
   * @param retried products that the host computed because the device had failed them
   * @param operations and the peak as in {@link DeviceStatistics}
   */
  public DeviceStatistics statistics(
      Device device, int lanes, long retried, double operations, double peakPerSecond) {
    return new DeviceStatistics(
        device.description(),
        device.simulated(),
        lanes,
        Duration.ofNanos(System.nanoTime() - opened),
        windows.sum(),
        failures.sum(),
        retried,
        Duration.ofNanos(busy.sum()),
        operations,
        peakPerSecond);
  }
}
