package dev.amanuensis.worker.device;

import java.time.Duration;

/**
 * What a device has done since it was opened. Two separate numbers come of it: how much of the time
 * it was busy, and how well it used that time.
 *
 * @param description as in {@link Device#description}
 * @param simulated whether its results are not real
 * @param lanes that run windows side by side
 * @param uptime since it was opened
 * @param windows encoded
 * @param failures windows that failed
 * @param retried products that the host computed because the device had failed them
 * @param busy time of all lanes together
 * @param operations of one window that are useful work: multiplications and additions; 0 if unknown
 * @param peakPerSecond most operations per second of one lane; 0 if unknown
 */
public record DeviceStatistics(
    String description,
    boolean simulated,
    int lanes,
    Duration uptime,
    long windows,
    long failures,
    long retried,
    Duration busy,
    double operations,
    double peakPerSecond) {
  /** Busy time per wall time of a lane. */
  public double duty() {
    double wall = seconds(uptime) * lanes;
    return wall > 0 ? seconds(busy) / wall : 0;
  }

  /** Useful operations per second of busy time, as a share of the peak; NaN if unknown. */
  public double efficiency() {
    double possible = seconds(busy) * peakPerSecond;
    return operations > 0 && possible > 0 ? windows * operations / possible : Double.NaN;
  }

  private static double seconds(Duration d) {
    return d.toNanos() / 1e9;
  }
}
