package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.metrics.TimerFigures;
import java.util.List;
import java.util.Map;

/** The shapes of the answers; field names become snake_case. */
final class Documents {
  private Documents() {}

  /** Liveness and readiness. */
  record Status(String status, String reason, List<Check> checks) {}

  /** /health */
  record Health(
      String status,
      boolean ready,
      String reason,
      List<Check> checks,
      Worker worker,
      Map<String, Pool> bufferPools,
      Cap buffers) {}

  /** Who works here. */
  record Worker(
      String id,
      String version,
      String model,
      String modelSha256,
      String profile,
      String device,
      double uptimeSeconds) {}

  /** A buffer pool now, and its counters since the start. */
  record Pool(
      boolean enabled,
      long slotBytes,
      int initial,
      int max,
      int allocated,
      int inUse,
      int waiting,
      long acquired,
      double hitRate,
      long exhausted,
      long failed,
      long unpooled,
      int leaks,
      double oldestLeaseSeconds) {}

  /** The byte cap over the capped pools. */
  record Cap(long capBytes, long usedBytes) {}

  /** /pipeline/stats */
  record Stats(
      String mode,
      double uptimeSeconds,
      double throughputRps,
      double windowsPerSecond,
      double audioSecondsPerSecond,
      int inFlight,
      int maxJobs,
      long admitted,
      long refused,
      Map<String, Long> finished,
      long windows,
      double audioSeconds,
      Map<String, Queue> queue,
      Map<String, Stage> stages,
      Decoder decoder,
      Device device,
      Map<String, Pool> bufferPools,
      Cap buffers,
      List<Held> jobs,
      List<Recent> recent) {}

  /** The queue before a stage; times in milliseconds, as in {@link TimerFigures}. */
  record Queue(int depth, int capacity, long overflows, TimerFigures waitMs) {}

  /** A stage. */
  record Stage(
      int threads,
      int busy,
      long count,
      long failures,
      long timeouts,
      long restarts,
      double p50Ms,
      double p95Ms,
      double p99Ms,
      double meanMs,
      double maxMs) {}

  /** The decoder's batch. */
  record Decoder(int maxSequences, int windows, long steps, double occupancy) {}

  /** Duty and efficiency are two things: how much of the time, and how well. */
  record Device(
      String name,
      boolean simulated,
      int lanes,
      double duty,
      Double efficiency,
      long windows,
      long failures,
      Npu npu) {}

  /**
   * The NPU behind the device's lanes. Its windows are those it was given; products fell back where
   * the CPU computed them in its place.
   */
  record Npu(
      String state,
      String name,
      String xrt,
      double duty,
      Double efficiency,
      long windows,
      long spilledWindows,
      long products,
      long cpuProducts,
      long dispatches,
      long programSwitches,
      int queued,
      long faults,
      long returns,
      long wrongProducts,
      int quarantined,
      String fault,
      String error,
      String hint) {}

  /** A job in flight. */
  record Held(
      String id,
      String state,
      String stage,
      int priority,
      double heldSeconds,
      double audioSeconds,
      double doneSeconds,
      int windows) {}

  /** A job that got its result, or is still there to be asked for. */
  record Recent(
      String id,
      String state,
      String code,
      double audioSeconds,
      double totalMs,
      Double realtime,
      Map<String, Double> timings,
      String traceId,
      String endedAt) {}

  /** A refusal. */
  record Problem(String error) {}
}
