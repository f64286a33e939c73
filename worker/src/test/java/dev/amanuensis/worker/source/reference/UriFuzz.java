package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * Fuzz target: whatever a reference says, no file outside the root arrives, and no host and no
 * bucket off the lists passes the check. Nothing is asked over the network.
 */
public final class UriFuzz {
  private static final String ALLOWED = "allowed.example";
  private static final String PUBLIC = "public";
  private static final References REFERENCES;
  private static final HttpsFetcher HTTPS;
  private static final Path ROOT;

  static {
    try {
      Path base = Files.createTempDirectory("uri-fuzz-");
      ROOT = Files.createDirectory(base.resolve("root"));
      Files.writeString(ROOT.resolve("a.wav"), PUBLIC);
      Files.writeString(base.resolve("secret.wav"), "secret");
      Files.createSymbolicLink(ROOT.resolve("link.wav"), base.resolve("secret.wav"));
      Files.createSymbolicLink(ROOT.resolve("up"), base);
      ReferenceConfig config = ReferenceConfig.files(List.of(ROOT));
      REFERENCES = new References(config, Files.createDirectory(base.resolve("spill")), 1000);
      HTTPS =
          new HttpsFetcher(
              new ReferenceConfig.Https(List.of(ALLOWED), List.of(), null),
              Duration.ofSeconds(1),
              new Abort());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private UriFuzz() {}

  /** {@code ROOT} in the input stands for the root's real path. */
  public static void fuzzerTestOneInput(byte[] data) throws InterruptedException {
    String text = new String(data, StandardCharsets.UTF_8).replace("ROOT", ROOT.toString());
    URI uri;
    try {
      uri = URI.create(text);
    } catch (IllegalArgumentException e) {
      return;
    }
    check(uri);
    try (References.Fetched fetched = REFERENCES.fetch(new AudioSource.Reference(uri, null))) {
      if (!Files.readString(fetched.copy().path()).equals(PUBLIC)) {
        throw new IllegalStateException("a file outside the root arrived: " + uri);
      }
    } catch (JobException e) {
      // refused, as it should be
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void check(URI uri) {
    try {
      HTTPS.check(uri);
    } catch (JobException e) {
      return;
    }
    String text = uri.toString().toLowerCase(Locale.ROOT);
    if (!text.matches("https://" + ALLOWED.replace(".", "\\.") + "\\.?(:(443)?)?([/?#].*)?")) {
      throw new IllegalStateException("passed the list of hosts: " + uri);
    }
  }
}
