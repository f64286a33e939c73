package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.job.JobResult;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The last jobs that got a result, newest first, without their text. Thread-safe. */
public final class RecentJobs {
  private static final int KEPT = 50;

  /**
   * A job that got its result.
   *
   * @param code why it has no transcription, or null
   * @param audioSeconds 0 unless completed
   * @param totalMillis from admission to the result
   * @param timings milliseconds by stage
   */
  public record Entry(
      String id,
      String status,
      String code,
      double audioSeconds,
      double totalMillis,
      Map<String, Double> timings,
      String traceId,
      Instant endedAt) {}

  private final Deque<Entry> entries = new ArrayDeque<>();

  synchronized void add(JobResult r) {
    if (entries.size() == KEPT) {
      entries.removeLast();
    }
    entries.addFirst(
        new Entry(
            r.job().id(),
            r.status().name(),
            r.errorCode() == null ? null : r.errorCode().name(),
            r.transcription() == null ? 0 : r.transcription().durationSeconds(),
            r.timings().getOrDefault("total", 0.0),
            r.timings(),
            r.job().traceId(),
            Instant.now()));
  }

  public synchronized List<Entry> list() {
    return List.copyOf(entries);
  }

  /** The last job of that id. */
  public synchronized Optional<Entry> find(String id) {
    return entries.stream().filter(e -> e.id().equals(id)).findFirst();
  }
}
