package dev.amanuensis.cli.kafka;

import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Transcript;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is known of one job. Filled by {@link JobHistory}. */
public final class JobStatus {
  private final String id;
  private final List<String> deadLetters = new ArrayList<>();
  private int submissions;
  private String lane;
  private Instant submittedAt;
  private Partial partial;
  private Instant cancelRequestedAt;
  private Transcript result;
  private int results;

  JobStatus(String id) {
    this.id = id;
  }

  void submitted(String topic, Instant at) {
    submissions++;
    lane = topic;
    submittedAt = at;
  }

  void partial(Partial latest) {
    partial = latest;
  }

  void cancelRequested(Instant at) {
    cancelRequestedAt = at;
  }

  void result(Transcript latest) {
    result = latest;
    results++;
  }

  void deadLetter(String place) {
    deadLetters.add(place);
  }

  public JobHistory.State state() {
    if (result != null) {
      return JobHistory.State.valueOf(result.getStatus().name());
    }
    if (partial != null) {
      return JobHistory.State.RUNNING;
    }
    return submissions > 0 ? JobHistory.State.SUBMITTED : JobHistory.State.UNKNOWN;
  }

  /** Name and value of everything that is known, in reading order; values are JSON's types. */
  public Map<String, Object> fields() {
    Map<String, Object> f = new LinkedHashMap<>();
    f.put("job_id", id);
    f.put("status", state().name());
    put(f, "topic", lane);
    put(f, "submitted_at", submittedAt);
    if (submissions > 1) {
      f.put("submissions", submissions);
    }
    put(f, "cancel_requested_at", cancelRequestedAt);
    if (result != null) {
      resultFields(f);
    } else if (partial != null) {
      f.put("done_seconds", partial.getSeek() / 100.0);
      f.put("duration_seconds", partial.getContentFrames() / 100.0);
      f.put("segments", partial.getSegments().size());
      f.put("attempt", partial.getAttempt());
      put(f, "worker", partial.getWorker());
    }
    if (!deadLetters.isEmpty()) {
      f.put("dead_letters", deadLetters);
    }
    return f;
  }

  private void resultFields(Map<String, Object> f) {
    put(f, "completed_at", result.getCompletedAt());
    put(f, "file", result.getMetadata().get(JobRecords.FILE));
    f.put("duration_seconds", result.getDuration());
    put(f, "language", result.getLanguage());
    f.put("segments", result.getSegments().size());
    f.put("attempt", result.getAttempt());
    put(f, "worker", result.getWorker());
    put(f, "error_code", result.getErrorCode());
    put(f, "error_message", result.getErrorMessage());
    if (results > 1) {
      f.put("results", results);
    }
  }

  private static void put(Map<String, Object> fields, String name, Object value) {
    if (value != null && !value.equals("")) {
      fields.put(name, value instanceof Instant ? value.toString() : value);
    }
  }
}
