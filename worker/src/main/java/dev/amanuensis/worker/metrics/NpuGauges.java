package dev.amanuensis.worker.metrics;

import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.worker.device.DeviceStatistics;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** What an NPU has done, read at each scrape; all zero where there is none. */
public final class NpuGauges {
  /** Marketed int8 peak of XDNA2. */
  private static final double PEAK_PER_SECOND = 50e12;

  private static final DeviceStatistics IDLE = array(0, 0, 0, 0);

  private final WorkerMetrics metrics;
  private final Supplier<Optional<NpuStatistics>> recent;

  private NpuGauges(WorkerMetrics metrics, Supplier<Optional<NpuStatistics>> npu) {
    this.metrics = metrics;
    this.recent = new Recent<>(npu);
  }

  /** Figures of an NPU for as long as it is asked; each caller has a window of its own. */
  public static Supplier<Optional<NpuFigures>> figures(Supplier<Optional<NpuStatistics>> npu) {
    DeviceWindow window = window(npu);
    return () -> npu.get().map(s -> new NpuFigures(s, window.duty(), window.efficiency()));
  }

  private static DeviceWindow window(Supplier<Optional<NpuStatistics>> npu) {
    return new DeviceWindow(() -> npu.get().map(NpuGauges::array).orElse(IDLE));
  }

  /** Registers them. */
  public static void observe(WorkerMetrics metrics, Supplier<Optional<NpuStatistics>> npu) {
    NpuGauges gauges = new NpuGauges(metrics, npu);
    gauges.time();
    gauges.work();
    gauges.faults();
  }

  private void time() {
    DeviceWindow window = window(recent);
    metrics.observe(Meters.NPU_DUTY, window::duty);
    metrics.observe(Meters.NPU_EFFICIENCY, window::efficiency);
    observe(Meters.NPU_BUSY, s -> s.busy().toNanos() / 1e9);
  }

  private void work() {
    observe(Meters.NPU_DISPATCHES, NpuStatistics::dispatches);
    observe(Meters.NPU_SWITCHES, NpuStatistics::switches);
    observe(Meters.NPU_QUEUED, NpuStatistics::queued);
    observe(Meters.NPU_WINDOWS, NpuStatistics::windows, "where", "npu");
    observe(Meters.NPU_WINDOWS, NpuStatistics::spilledWindows, "where", "cpu");
    observe(Meters.NPU_PRODUCTS, NpuStatistics::products, "where", "npu");
    observe(Meters.NPU_PRODUCTS, NpuStatistics::cpuProducts, "where", "cpu");
  }

  private void faults() {
    observe(Meters.NPU_PRESENT, s -> 1);
    observe(Meters.NPU_READY, s -> s.state() == NpuStatistics.State.READY ? 1 : 0);
    observe(Meters.NPU_FAULTS, NpuStatistics::faults);
    observe(Meters.NPU_TIMEOUTS, NpuStatistics::timeouts);
    observe(Meters.NPU_WRONG, NpuStatistics::wrongProducts);
    observe(Meters.NPU_RETURNS, NpuStatistics::returns);
    observe(Meters.NPU_CHECKS, NpuStatistics::crossChecks);
    observe(Meters.NPU_QUARANTINED, NpuStatistics::quarantined);
  }

  private void observe(Meters meter, ToDoubleFunction<NpuStatistics> value, String... labels) {
    metrics.observe(meter, () -> recent.get().map(s -> value.applyAsDouble(s)).orElse(0.0), labels);
  }

  private static DeviceStatistics array(NpuStatistics s) {
    return array(s.wall().toNanos(), s.operations(), s.faults(), s.busy().toNanos());
  }

  /** The array alone: it counts operations where other devices count windows. */
  private static DeviceStatistics array(long wall, long operations, long faults, long busy) {
    return new DeviceStatistics(
        "npu",
        false,
        1,
        Duration.ofNanos(wall),
        operations,
        faults,
        0,
        Duration.ofNanos(busy),
        1,
        PEAK_PER_SECOND);
  }
}
