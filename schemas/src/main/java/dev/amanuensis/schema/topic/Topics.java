package dev.amanuensis.schema.topic;

import java.util.List;
import java.util.Map;

/** The topics of a fleet and the settings recommended for them. The one catalogue of both. */
public final class Topics {
  public static final String JOBS_INTERACTIVE = "audio-jobs.interactive";
  public static final String JOBS = "audio-jobs";
  public static final String JOBS_BULK = "audio-jobs.bulk";
  public static final String TRANSCRIPTS = "transcripts";
  public static final String PARTIAL = "transcripts.partial";
  public static final String CONTROL = "audio-jobs.control";
  public static final String WORKERS = "audio-jobs.workers";
  public static final String DLQ = "audio-jobs.dlq";

  /** The lanes, the most urgent first. */
  public static final List<String> LANES = List.of(JOBS_INTERACTIVE, JOBS, JOBS_BULK);

  /** Largest record: transcripts with words are about 0.6 MB per hour of speech. */
  public static final int MAX_RECORD_BYTES = 8 << 20;

  private static final long HOUR = 3_600_000L;
  private static final long DAY = 24 * HOUR;

  // A cancellation applies to records that were in the log before it: one clock for both, the
  // broker's.
  private static final Map<String, String> JOBS_CONFIG =
      config(7 * DAY, "delete", Map.of("message.timestamp.type", "LogAppendTime"));

  private static final List<TopicSpec> ALL =
      List.of(
          new TopicSpec(JOBS_INTERACTIVE, true, JOBS_CONFIG, "jobs that somebody waits for"),
          new TopicSpec(JOBS, true, JOBS_CONFIG, "jobs"),
          new TopicSpec(JOBS_BULK, true, JOBS_CONFIG, "jobs that may wait"),
          new TopicSpec(
              TRANSCRIPTS, true, config(30 * DAY, "delete", Map.of()), "one result for every job"),
          new TopicSpec(
              PARTIAL,
              true,
              config(DAY, "compact,delete", Map.of("segment.ms", "600000")),
              "segments of long jobs as they become final; what a successor resumes from"),
          new TopicSpec(
              CONTROL,
              false,
              config(
                  7 * DAY,
                  "compact,delete",
                  Map.of("message.timestamp.type", "LogAppendTime", "segment.ms", "3600000")),
              "cancellations"),
          new TopicSpec(
              WORKERS,
              false,
              config(HOUR, "delete", Map.of("segment.ms", "600000")),
              "heartbeats of the workers"),
          new TopicSpec(
              DLQ,
              false,
              config(30 * DAY, "delete", Map.of()),
              "records that a person may want to replay"));

  private Topics() {}

  private static Map<String, String> config(
      long retentionMillis, String cleanup, Map<String, String> more) {
    var all = new java.util.HashMap<>(more);
    all.put("retention.ms", Long.toString(retentionMillis));
    all.put("cleanup.policy", cleanup);
    all.put("max.message.bytes", Integer.toString(MAX_RECORD_BYTES));
    return all;
  }

  /** Every topic, in the order in which people meet them. */
  public static List<TopicSpec> all() {
    return ALL;
  }
}
