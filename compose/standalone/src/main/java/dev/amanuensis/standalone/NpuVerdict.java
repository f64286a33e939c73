package dev.amanuensis.standalone;

import dev.amanuensis.engine.NpuStatistics;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether an NPU did what was asked of it. Equal bits are not enough: the CPU steps in for a device
 * that fails, with the same bits.
 */
final class NpuVerdict {
  /** Of Whisper base: four in each of six layers, and the cross-attention's K and V of six. */
  static final long PRODUCTS_PER_WINDOW = 30;

  private final List<String> reasons = new ArrayList<>();

  boolean accepted() {
    return reasons.isEmpty();
  }

  /** Why it is not accepted, in the order in which it was found. */
  List<String> reasons() {
    return List.copyOf(reasons);
  }

  void fail(String step, String reason) {
    reasons.add(step + ": " + reason);
  }

  void require(boolean condition, String step, String reason) {
    if (!condition) {
      fail(step, reason);
    }
  }

  /** The device must have worked without a fault since it was opened or since {@code before}. */
  void faultless(String step, NpuStatistics before, NpuStatistics s) {
    long faults = s.faults() - (before == null ? 0 : before.faults());
    long wrong = s.wrongProducts() - (before == null ? 0 : before.wrongProducts());
    long cpu = s.cpuProducts() - (before == null ? 0 : before.cpuProducts());
    require(faults == 0, step, "%d faults, the last: %s".formatted(faults, s.error()));
    require(wrong == 0, step, wrong + " products with wrong sums");
    require(cpu == 0, step, cpu + " products computed by the CPU in the device's place");
    require(s.state() == NpuStatistics.State.READY, step, "the device is " + s.state());
  }

  /**
   * Every product of every window must have been the device's.
   *
   * @param windows that were computed; -1: as many as the device says, but one at least
   */
  void complete(String step, NpuStatistics before, NpuStatistics s, long windows) {
    faultless(step, before, s);
    long taken = s.windows() - (before == null ? 0 : before.windows());
    long products = s.products() - (before == null ? 0 : before.products());
    long spilled = s.spilledWindows() - (before == null ? 0 : before.spilledWindows());
    long wanted = windows < 0 ? taken : windows;
    require(wanted > 0, step, "no window went to the device");
    require(
        taken == wanted && spilled == 0,
        step,
        "%d of %d windows went to the device".formatted(taken, wanted + spilled));
    require(
        products == wanted * PRODUCTS_PER_WINDOW,
        step,
        "%d products on the device; %d windows have %d"
            .formatted(products, wanted, wanted * PRODUCTS_PER_WINDOW));
  }
}
