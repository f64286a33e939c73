package dev.amanuensis.worker;

import dev.amanuensis.schema.Heartbeat;
import dev.amanuensis.worker.admin.Check;
import dev.amanuensis.worker.admin.WorkerView;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.metrics.JvmMeters;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.Supplier;

/** What a worker says of itself in a heartbeat. */
final class HeartbeatSource implements Supplier<Heartbeat> {
  private final WorkerView worker;
  private final String group;
  private final Instant started = now();
  private volatile String adminUrl;
  private volatile String ending;

  HeartbeatSource(WorkerView worker, String group) {
    this.worker = worker;
    this.group = group;
  }

  private static Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.MILLIS);
  }

  void adminUrl(String url) {
    adminUrl = url;
  }

  /** From now on the worker says that it ends. */
  void ending(String state) {
    ending = state;
  }

  private String state() {
    if (ending != null) {
      return ending;
    }
    if (worker.failure() != null) {
      return "failed";
    }
    return worker.checks().stream()
        .filter(c -> !c.ok())
        .map(Check::detail)
        .findFirst()
        .orElse("ready");
  }

  @Override
  public Heartbeat get() {
    PipelineSnapshot p = worker.pipeline();
    WorkerMetrics m = worker.metrics();
    String state = state();
    long all = p.ended().values().stream().mapToLong(Long::longValue).sum();
    long completed = p.ended().getOrDefault(JobResult.Status.COMPLETED, 0L);
    double memory = JvmMeters.residentBytes();
    return Heartbeat.newBuilder()
        .setWorker(worker.identity().workerId())
        .setGroup(group)
        .setState(state)
        .setReady(state.equals("ready"))
        .setSentAt(now())
        .setStartedAt(started)
        .setModel(worker.identity().model())
        .setProfile(worker.identity().profile())
        .setDevice(worker.identity().device())
        .setAdminUrl(adminUrl)
        .setInFlight(p.inFlight())
        .setMaxJobs(p.maxJobs())
        .setJobsPerSecond(m.jobsPerSecond())
        .setWindowsPerSecond(m.windowsPerSecond())
        .setAudioPerSecond(m.audioPerSecond())
        .setDuty(worker.device().duty())
        .setCompleted(completed)
        .setFailed(all - completed)
        .setBuffersInUse(p.buffers().inUse())
        .setBufferBytes(p.buffers().usedBytes())
        .setLeaks(p.buffers().leaks())
        .setMemoryBytes(Double.isNaN(memory) ? 0 : (long) memory)
        .build();
  }
}
