package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.buffers.BufferStatistics.PoolStatistics;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.pipeline.Stage;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** What is read from the pipeline at each scrape: depths, pools, device. */
public final class PipelineGauges {
  private final WorkerMetrics metrics;
  private final Supplier<PipelineSnapshot> recent;

  private PipelineGauges(WorkerMetrics metrics, Supplier<PipelineSnapshot> pipeline) {
    this.metrics = metrics;
    this.recent = new Recent<>(pipeline);
  }

  /**
   * Registers them.
   *
   * @param device label of the encoder's device
   */
  public static void observe(
      WorkerMetrics metrics, Supplier<PipelineSnapshot> pipeline, String device) {
    PipelineGauges gauges = new PipelineGauges(metrics, pipeline);
    gauges.queues();
    for (Pool p : Pool.values()) {
      gauges.pool(p);
    }
    gauges.device(device);
  }

  private void queues() {
    metrics.observe(Meters.JOBS_IN_FLIGHT, () -> recent.get().inFlight());
    metrics.observe(Meters.JOBS_MAX, () -> recent.get().maxJobs());
    metrics.observe(Meters.DECODE_BATCH_MAX, () -> recent.get().decoder().maxSequences());
    for (Stage s : Stage.values()) {
      metrics.observe(Meters.QUEUE_DEPTH, () -> recent.get().stage(s).queued(), "stage", s.label());
      metrics.observe(
          Meters.QUEUE_CAPACITY, () -> recent.get().stage(s).queueCapacity(), "stage", s.label());
    }
  }

  private void pool(Pool pool) {
    observe(pool, Meters.POOL_IN_USE, PoolStatistics::inUse);
    observe(pool, Meters.POOL_IDLE, s -> Math.max(0, s.slots() - s.inUse()));
    observe(pool, Meters.POOL_LIMIT, PoolStatistics::most);
    observe(pool, Meters.POOL_BYTES, s -> (double) s.slots() * s.slotBytes());
    observe(pool, Meters.POOL_ACQUIRED, PoolStatistics::acquired);
    observe(pool, Meters.POOL_HITS, PoolStatistics::hits);
    observe(pool, Meters.POOL_EXHAUSTED, PoolStatistics::exhausted);
    observe(pool, Meters.POOL_LEAKS, PoolStatistics::leaks);
  }

  private void observe(Pool pool, Meters meter, ToDoubleFunction<PoolStatistics> value) {
    metrics.observe(
        meter, () -> value.applyAsDouble(recent.get().buffers().of(pool)), "pool", pool.label());
  }

  private void device(String label) {
    metrics.observe(Meters.POOL_CAP, () -> recent.get().buffers().capBytes());
    metrics.observe(
        Meters.DEVICE_BUSY, () -> recent.get().device().busy().toNanos() / 1e9, "device", label);
    metrics.observe(Meters.RETRIES, () -> recent.get().device().retried(), "reason", "device");
    DeviceWindow window = new DeviceWindow(() -> recent.get().device());
    metrics.observe(Meters.DEVICE_DUTY, window::duty, "device", label);
    metrics.observe(Meters.DEVICE_EFFICIENCY, window::efficiency, "device", label);
  }
}
