package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.metrics.DeviceWindow;
import dev.amanuensis.worker.metrics.NpuFigures;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.publish.WorkerIdentity;
import java.util.List;
import java.util.Optional;

/** What the admin server may see of a worker. All calls are quick and thread-safe. */
public interface WorkerView {
  WorkerIdentity identity();

  /** In the order in which they come true. */
  List<Check> checks();

  /** What ended the worker, or null while it runs. */
  Throwable failure();

  PipelineSnapshot pipeline();

  /** Duty and efficiency of the device over the last seconds. */
  DeviceWindow device();

  /** Empty if the worker has none. */
  Optional<NpuFigures> npu();

  WorkerMetrics metrics();
}
