package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.spi.LoggingEventBuilder;

/** Jobs in the log: their id and trace on every line, and one line for each that has ended. */
public final class JobLog {
  private static final Logger LOG = LoggerFactory.getLogger(JobLog.class);
  private static final String ID = "job_id";
  private static final String TRACE = "trace_id";

  private JobLog() {}

  /** The calling thread works on this job until the scope is closed, on the same thread. */
  public static Scope scope(Job job) {
    String id = MDC.get(ID);
    String trace = MDC.get(TRACE);
    both(job.id(), job.traceId());
    return () -> both(id, trace);
  }

  private static void both(String id, String trace) {
    put(ID, id);
    put(TRACE, trace);
  }

  private static void put(String key, String value) {
    if (value == null) {
      MDC.remove(key);
    } else {
      MDC.put(key, value);
    }
  }

  /** Ends what {@link #scope} began. */
  @FunctionalInterface
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  /** The one line of a job at INFO; its figures are key-value pairs too. */
  public static void ended(JobResult r) {
    Map<String, Double> stages = new TreeMap<>(r.timings());
    Double total = stages.remove("total");
    double audio = r.transcription() == null ? 0 : r.transcription().durationSeconds();
    StringBuilder line = new StringBuilder();
    line.append("job ").append(r.job().id()).append(' ').append(r.status());
    if (r.errorCode() != null) {
      line.append(' ').append(r.errorCode()).append(": ").append(r.errorMessage());
    }
    LoggingEventBuilder event =
        LOG.atInfo().addKeyValue(ID, r.job().id()).addKeyValue("status", r.status());
    if (r.errorCode() != null) {
      event = event.addKeyValue("code", r.errorCode());
    }
    if (total != null) {
      line.append(audio > 0 ? ": " : " after ").append(figures(audio, total));
      event = event.addKeyValue("total_ms", rounded(total));
      if (audio > 0) {
        event =
            event
                .addKeyValue("audio_seconds", rounded(audio))
                .addKeyValue("realtime", rounded(audio * 1000 / total));
      }
    }
    for (Map.Entry<String, Double> stage : stages.entrySet()) {
      line.append(' ').append(stage.getKey()).append('=').append(Math.round(stage.getValue()));
      event = event.addKeyValue(key(stage.getKey()), rounded(stage.getValue()));
    }
    if (r.job().traceId() != null) {
      line.append(" trace=").append(r.job().traceId());
      event = event.addKeyValue(TRACE, r.job().traceId());
    }
    event.log("{}", line);
  }

  /** All of a job's timings are milliseconds but for its copies. */
  private static String key(String timing) {
    return timing.startsWith("cop") ? timing : timing + "_ms";
  }

  private static String figures(double audio, double total) {
    return audio > 0
        ? String.format(
            Locale.ROOT, "%.1f s in %.0f ms (%.1fx)", audio, total, audio * 1000 / total)
        : String.format(Locale.ROOT, "%.0f ms", total);
  }

  private static double rounded(double v) {
    return Math.round(v * 1000) / 1000.0;
  }
}
