package dev.amanuensis.worker.job;

import java.util.Map;

/**
 * How a job ended. Every accepted job gets exactly one.
 *
 * @param transcription null unless completed
 * @param audioSha256 lower-case hex sha256 of the audio bytes as received; null if they never
 *     arrived
 * @param errorCode null if completed
 * @param errorMessage what happened, where, and what to do; of a completed job what was wrong with
 *     its audio, or null
 * @param timings milliseconds by stage: queued, fetch, decode_audio, mel, encode, decode, align,
 *     total; and two counts, copies_per_window and copied_bytes: how often a buffer of audio size
 *     was filled (PCM, log-mel, encoder states), and with how many bytes without the PCM
 * @param errorStack summary of what was thrown, or null
 */
public record JobResult(
    Job job,
    Status status,
    TranscriptionResult transcription,
    String audioSha256,
    ErrorCode errorCode,
    String errorMessage,
    Map<String, Double> timings,
    String errorStack) {

  /** Without a stack. */
  public JobResult(
      Job job,
      Status status,
      TranscriptionResult transcription,
      String audioSha256,
      ErrorCode errorCode,
      String errorMessage,
      Map<String, Double> timings) {
    this(job, status, transcription, audioSha256, errorCode, errorMessage, timings, null);
  }

  /** Whether the same job may succeed a little later. */
  public boolean mayPass() {
    return status == Status.FAILED && errorCode.mayPass();
  }

  /** Whether it may still succeed once a person has changed something. */
  public boolean needsDeadLetter() {
    return status == Status.FAILED && errorCode.replayable();
  }

  /** The end states of a job. */
  public enum Status {
    COMPLETED,
    FAILED,
    EXPIRED,
    CANCELLED
  }
}
