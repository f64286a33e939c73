package dev.amanuensis.worker;

import dev.amanuensis.worker.admin.Check;
import dev.amanuensis.worker.admin.WorkerView;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.intake.DeliveryLoop;
import dev.amanuensis.worker.metrics.DeviceWindow;
import dev.amanuensis.worker.metrics.NpuFigures;
import dev.amanuensis.worker.metrics.NpuGauges;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.Pipeline;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.publish.WorkerIdentity;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A running worker as its admin server sees it. That it exists says that the model is loaded and
 * that the device passed its check: loading ends with an error otherwise.
 */
record LiveView(
    WorkerIdentity identity,
    Pipeline stages,
    DeliveryLoop loop,
    WorkerMetrics metrics,
    String group,
    DeviceWindow device,
    Supplier<Optional<NpuFigures>> figures)
    implements WorkerView {
  LiveView(
      WorkerIdentity identity,
      Pipeline stages,
      DeliveryLoop loop,
      WorkerMetrics metrics,
      String group,
      Device device) {
    this(
        identity,
        stages,
        loop,
        metrics,
        group,
        new DeviceWindow(() -> stages.snapshot().device()),
        NpuGauges.figures(device::npu));
  }

  @Override
  public List<Check> checks() {
    boolean joined = loop.ready();
    String refusal = loop.refusal();
    return List.of(
        new Check("model", true, identity.model() + " (" + identity.profile() + ")"),
        new Check("device", true, identity.device()),
        new Check("kafka", refusal == null, refusal == null ? "takes all" : refusal),
        new Check("group", joined, (joined ? "joined " : "joining ") + group));
  }

  @Override
  public Throwable failure() {
    return loop.failure();
  }

  @Override
  public Optional<NpuFigures> npu() {
    return figures.get();
  }

  @Override
  public PipelineSnapshot pipeline() {
    return stages.snapshot();
  }
}
