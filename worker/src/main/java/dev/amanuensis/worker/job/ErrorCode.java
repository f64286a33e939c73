package dev.amanuensis.worker.job;

/** Why a job has no transcription. The names are part of the message contract. */
public enum ErrorCode {
  /** The audio has no bytes at all. */
  AUDIO_EMPTY,
  /** Not audio, or a format that the decoder does not take. */
  AUDIO_UNREADABLE,
  /** Longer or larger than the configured limits. */
  AUDIO_TOO_LARGE,
  /** The decoder ran past its time limit. */
  AUDIO_TIMEOUT,
  /** The bytes do not have the sha256 that the producer gave. */
  AUDIO_HASH_MISMATCH,
  /** The reference can't be fetched now: the network, the server or the storage failed. */
  SOURCE_UNAVAILABLE,
  /** Fetching the reference took too long. */
  SOURCE_TIMEOUT,
  /** There is nothing where the reference points to. */
  SOURCE_NOT_FOUND,
  /** The source does not hand it out: no rights, a bad certificate, a nonsensical answer. */
  SOURCE_REFUSED,
  /** The reference is outside what this worker may read. */
  SOURCE_FORBIDDEN,
  /** A language, task or option that the model does not know. */
  INVALID_OPTION,
  /** No disk space left for the spill file. */
  DISK_FULL,
  /** The serialized transcript is larger than the topic takes. */
  RESULT_TOO_LARGE,
  /** A stage ran past its time limit. */
  STAGE_TIMEOUT,
  /** The worker's buffers were all in use for too long; the job may be sent again. */
  BUFFERS_EXHAUSTED,
  /** The job's deadline passed. */
  DEADLINE_EXCEEDED,
  /** Cancelled by a call. */
  CANCELLED,
  /** Workers were lost while they did this job and nothing else. */
  ATTEMPTS_EXHAUSTED,
  /** A defect on our side; the message has the details. */
  INTERNAL;

  /** Whether the same job may succeed a little later. */
  public boolean mayPass() {
    return this == SOURCE_UNAVAILABLE
        || this == SOURCE_TIMEOUT
        || this == DISK_FULL
        || this == BUFFERS_EXHAUSTED;
  }

  /** Whether it may succeed once a person has changed something: it gets a dead letter. */
  public boolean replayable() {
    return switch (this) {
      case SOURCE_UNAVAILABLE,
          SOURCE_TIMEOUT,
          SOURCE_NOT_FOUND,
          SOURCE_REFUSED,
          SOURCE_FORBIDDEN,
          DISK_FULL,
          RESULT_TOO_LARGE,
          STAGE_TIMEOUT,
          BUFFERS_EXHAUSTED,
          AUDIO_TIMEOUT,
          ATTEMPTS_EXHAUSTED,
          INTERNAL ->
          true;
      default -> false;
    };
  }
}
