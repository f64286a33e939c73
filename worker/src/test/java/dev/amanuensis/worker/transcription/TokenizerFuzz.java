package dev.amanuensis.worker.transcription;

import java.io.ByteArrayInputStream;
import java.io.IOException;

/** Fuzz target: tokenizer.json becomes a tokenizer or an IOException. */
public final class TokenizerFuzz {
  private TokenizerFuzz() {}

  public static void fuzzerTestOneInput(byte[] data) {
    try {
      Tokenizer.read(new ByteArrayInputStream(data));
    } catch (IOException e) {
      // refused, as it should be
    }
  }
}
