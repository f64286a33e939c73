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
  /** The reference can't be fetched. */
  SOURCE_UNAVAILABLE,
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
  /** The job's deadline passed. */
  DEADLINE_EXCEEDED,
  /** Cancelled by a call. */
  CANCELLED,
  /** A defect on our side; the message has the details. */
  INTERNAL
}
