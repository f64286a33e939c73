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
 */
public record Job(
    String id,
    AudioSource source,
    String contentType,
    TranscriptionOptions options,
    int priority,
    Instant deadline,
    Instant submittedAt,
    Map<String, String> metadata) {}
