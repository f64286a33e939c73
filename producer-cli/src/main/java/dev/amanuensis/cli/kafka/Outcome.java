package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.format.TranscriptDocument;

/**
 * How a job ended, as read from the topic of transcripts.
 *
 * @param status COMPLETED, FAILED, EXPIRED or CANCELLED
 * @param file that the producer named in the job's metadata, else the job's id
 * @param document the transcript; empty unless completed
 * @param errorCode null if completed
 * @param errorMessage of a completed job: what was wrong with its audio; else null
 */
public record Outcome(
    String jobId,
    String status,
    String file,
    TranscriptDocument document,
    String errorCode,
    String errorMessage) {
  public boolean completed() {
    return status.equals("COMPLETED");
  }

  /** Whether the job asked for a language, a task or an option that the worker does not know. */
  public boolean invalidOption() {
    return "INVALID_OPTION".equals(errorCode);
  }

  /** For people: {@code talk.wav: AUDIO_EMPTY: the file has no bytes}. */
  public String failure() {
    String code = errorCode == null ? status : errorCode;
    return file + ": " + code + (errorMessage == null ? "" : ": " + errorMessage);
  }
}
