package dev.amanuensis.worker.transcription;

import dev.amanuensis.model.ModelStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;

/** The tokenizer of Whisper base, from the model store that the build fills. */
final class TestTokenizer {
  private static Tokenizer base;

  private TestTokenizer() {}

  static synchronized Tokenizer base() {
    if (base == null) {
      try (InputStream in = Files.newInputStream(ModelStore.defaultStore().locate().tokenizer())) {
        base = Tokenizer.read(in);
      } catch (IOException e) {
        throw new UncheckedIOException("these tests need the model: " + e.getMessage(), e);
      }
    }
    return base;
  }
}
