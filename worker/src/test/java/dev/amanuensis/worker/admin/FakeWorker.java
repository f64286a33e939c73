package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.buffers.BufferStatistics;
import dev.amanuensis.worker.buffers.BufferStatistics.PoolStatistics;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.device.DeviceStatistics;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.metrics.DeviceWindow;
import dev.amanuensis.worker.metrics.NpuFigures;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.pipeline.PipelineSnapshot.DecoderSnapshot;
import dev.amanuensis.worker.pipeline.PipelineSnapshot.HeldJob;
import dev.amanuensis.worker.pipeline.PipelineSnapshot.StageSnapshot;
import dev.amanuensis.worker.pipeline.Stage;
import dev.amanuensis.worker.publish.WorkerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A worker with states that a test sets: what the server shows, without a model. */
final class FakeWorker implements WorkerView {
  final WorkerMetrics metrics;
  final List<HeldJob> jobs = new ArrayList<>();
  volatile Throwable failure;
  volatile boolean joined = true;
  volatile int queued = 3;
  volatile NpuFigures npu;

  FakeWorker(WorkerMetrics metrics) {
    this.metrics = metrics;
  }

  static HeldJob held(String id) {
    return new HeldJob(
        id, 5, Duration.ofSeconds(7), Stage.DECODE, true, Duration.ofSeconds(1), 30, 120, 1);
  }

  @Override
  public WorkerIdentity identity() {
    return new WorkerIdentity("worker-1", "whisper-base", "ab12", "fast", "cpu avx2");
  }

  @Override
  public List<Check> checks() {
    return List.of(
        new Check("model", true, "whisper-base"),
        new Check("device", true, "cpu avx2"),
        new Check("group", joined, joined ? "joined amanuensis" : "joining amanuensis"));
  }

  @Override
  public Throwable failure() {
    return failure;
  }

  @Override
  public PipelineSnapshot pipeline() {
    List<StageSnapshot> stages =
        Arrays.stream(Stage.values())
            .map(
                s ->
                    new StageSnapshot(
                        s,
                        s == Stage.DECODE ? 1 : 2,
                        s == Stage.ENCODE ? queued : 0,
                        64,
                        1,
                        120,
                        1,
                        Duration.ofSeconds(40),
                        Duration.ofSeconds(4),
                        2,
                        0,
                        0))
            .toList();
    return new PipelineSnapshot(
        "staged",
        Duration.ofMinutes(3),
        32,
        jobs.size(),
        121,
        4,
        Map.of(JobResult.Status.COMPLETED, 119L, JobResult.Status.FAILED, 1L),
        240,
        Duration.ofSeconds(3600),
        stages,
        new DecoderSnapshot(16, 9, 1000, 9000),
        new DeviceStatistics(
            "cpu avx2", false, 2, Duration.ofMinutes(3), 240, 0, 0, Duration.ofSeconds(240), 0, 0),
        new BufferStatistics(
            50 << 20, 12 << 20, Arrays.stream(Pool.values()).map(FakeWorker::pool).toList()),
        List.copyOf(jobs));
  }

  @Override
  public DeviceWindow device() {
    return new DeviceWindow(() -> pipeline().device());
  }

  @Override
  public Optional<NpuFigures> npu() {
    return Optional.ofNullable(npu);
  }

  private static PoolStatistics pool(Pool pool) {
    return new PoolStatistics(
        pool,
        true,
        960_000,
        5,
        15,
        6,
        2,
        0,
        100,
        97,
        1,
        0,
        0,
        1,
        0,
        0,
        Duration.ofMillis(300),
        "job-1",
        0);
  }

  @Override
  public WorkerMetrics metrics() {
    return metrics;
  }
}
