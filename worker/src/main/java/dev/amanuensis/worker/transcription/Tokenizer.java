package dev.amanuensis.worker.transcription;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** Whisper's tokens. Immutable. */
public final class Tokenizer {
  /** Reads a Hugging Face tokenizer.json. */
  public static Tokenizer read(InputStream json) throws IOException {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Codes in the order of their tokens; empty if the model is English only. */
  public List<String> languages() {
    throw new UnsupportedOperationException("not written yet");
  }
}
