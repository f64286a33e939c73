package dev.amanuensis.engine;

/** am_status of the C ABI, by ordinal. */
public enum EngineStatus {
  OK,
  /** A null pointer, a wrong size, a token outside the vocabulary. */
  INVALID_ARGUMENT,
  /** A file can't be opened, read or mapped. */
  IO,
  /** The file is not a Whisper model, or is damaged. */
  BAD_MODEL,
  OUT_OF_MEMORY,
  /** This machine or this build can't do it. */
  UNSUPPORTED,
  /** A slot that is not open, more tokens than the context holds. */
  BAD_STATE,
  INTERNAL;

  private static final EngineStatus[] VALUES = values();

  static EngineStatus of(int code) {
    return code >= 0 && code < VALUES.length ? VALUES[code] : INTERNAL;
  }
}
