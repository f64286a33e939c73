package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TranscriptionOptions;

/** Refuses options that the model or the rules do not know, before any work is done. */
public final class OptionCheck {
  private OptionCheck() {}

  /** Throws INVALID_OPTION with a message that names the valid values. */
  public static void check(TranscriptionOptions options, Tokenizer tokenizer) throws JobException {
    throw new UnsupportedOperationException("not written yet");
  }
}
