package dev.amanuensis.engine;

import java.time.Duration;

/**
 * What an NPU did since it was opened.
 *
 * @param queued products that wait or run now
 * @param deepest products in the driver's queue at once, at most
 * @param quarantined sessions that were given up and may still have work in flight
 * @param generation times that the device was opened
 * @param operations multiplications and additions of the products
 * @param busy time with a product on the device
 * @param wall time since it was opened
 * @param returns times that it came back after a fault
 * @param wrongProducts with sums that were found wrong, and mended
 * @param windows that it was given
 * @param spilledWindows that went to the CPU because that was faster
 * @param cpuProducts that lanes computed because the device failed them
 * @param deviceWindowMillis what the next window would take on the device; 0: not known
 * @param cpuWindowMillis the same on the CPU
 * @param kind of the last fault, for example {@code memlock}; empty if there was none
 * @param error the last fault
 * @param hint what its operator can do
 * @param name of the device
 * @param xrt the XRT library in use, and the version that the backend was compiled for
 * @param dispatches runs submitted: a product is one, or one for each slice of k
 * @param switches changes of the program on the array
 */
public record NpuStatistics(
    State state,
    int queued,
    int deepest,
    int quarantined,
    long generation,
    long products,
    long operations,
    Duration busy,
    Duration wall,
    long faults,
    long rebuilds,
    long returns,
    long timeouts,
    long wrongProducts,
    long crossChecks,
    long windows,
    long spilledWindows,
    long cpuProducts,
    double deviceWindowMillis,
    double cpuWindowMillis,
    String kind,
    String error,
    String hint,
    String name,
    String xrt,
    long dispatches,
    long switches) {
  /** Whether the device can be used. */
  public enum State {
    READY,
    RECOVERING,
    DOWN
  }

  /** Busy time by wall time. */
  public double duty() {
    return wall.isZero() ? 0 : (double) busy.toNanos() / wall.toNanos();
  }

  /** Operations by what the array could do in its busy time. */
  public double efficiency(double peakPerSecond) {
    return busy.isZero() ? 0 : operations / (busy.toNanos() * 1e-9 * peakPerSecond);
  }
}
