package dev.amanuensis.worker.job;

import java.time.Instant;
import java.util.Map;

/**
 * One audio file to transcribe, as the pipeline sees it: free of Kafka and Avro.
 *
 * @param id unique within the topic by convention; two records with one id are two jobs
 * @param contentType MIME type as given by the producer, or null
 * @param priority larger is more urgent; 0 by default
 * @param deadline after which the job is EXPIRED, or null
 * @param submittedAt when the producer enqueued it
 * @param metadata free text pairs, copied to the result
 * @param traceId 32 lower-case hex digits of the W3C trace that the job belongs to, or null
 */
public record Job(
    String id,
    AudioSource source,
    String contentType,
    TranscriptionOptions options,
    int priority,
    Instant deadline,
    Instant submittedAt,
    Map<String, String> metadata,
    String traceId) {

  /** A job outside any trace. */
  public Job(
      String id,
      AudioSource source,
      String contentType,
      TranscriptionOptions options,
      int priority,
      Instant deadline,
      Instant submittedAt,
      Map<String, String> metadata) {
    this(id, source, contentType, options, priority, deadline, submittedAt, metadata, null);
  }

  /** The same job as part of a trace. */
  public Job inTrace(String trace) {
    return new Job(
        id, source, contentType, options, priority, deadline, submittedAt, metadata, trace);
  }

  /** The same job with another urgency. */
  public Job withPriority(int other) {
    return new Job(
        id, source, contentType, options, other, deadline, submittedAt, metadata, traceId);
  }
}
