package dev.amanuensis.worker.transcription;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The tokenizer of Whisper base, from the model cache that the build fills. */
final class TestTokenizer {
  private static Tokenizer base;

  private TestTokenizer() {}

  static synchronized Tokenizer base() {
    if (base == null) {
      Path file = file();
      try (InputStream in = Files.newInputStream(file)) {
        base = Tokenizer.read(in);
      } catch (IOException e) {
        throw new UncheckedIOException(
            "these tests need " + file + "; run \"amanuensis model fetch\"", e);
      }
    }
    return base;
  }

  private static Path file() {
    String named = System.getProperty("amanuensis.test.tokenizer");
    if (named != null) {
      return Path.of(named);
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    Path root =
        cache == null || cache.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    return root.resolve("amanuensis/models/whisper-base/tokenizer.json");
  }
}
