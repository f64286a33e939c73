package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The claim check: fetches what a job's reference names, by the kind of reference, and tries again
 * where a failure may pass. Thread-safe.
 */
public final class References implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(References.class);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(20);

  private final ReferenceConfig config;
  private final Path directory;
  private final long maxBytes;
  private final Abort abort = new Abort();
  private final Map<String, Fetcher> fetchers;

  /** Audio with its hash, which the caller closes. */
  public record Fetched(AudioCopy copy, String sha256) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      copy.close();
    }
  }

  /**
   * @param directory of the copies
   * @param maxBytes of one audio file
   */
  public References(ReferenceConfig config, Path directory, long maxBytes) {
    this.config = config;
    this.directory = directory;
    this.maxBytes = maxBytes;
    this.fetchers =
        Map.of(
            "file", new FileFetcher(config.allowedRoots()),
            "https", new HttpsFetcher(config.https(), config.timeout(), abort),
            "s3", new S3Fetcher(config.s3(), config.timeout(), abort));
  }

  /**
   * @throws JobException if there is no audio to be had
   * @throws IOException if it can't be kept here
   * @throws InterruptedException if the job was cancelled; nothing is left behind
   */
  public Fetched fetch(AudioSource.Reference reference)
      throws JobException, IOException, InterruptedException {
    URI uri = reference.uri();
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    Fetcher fetcher = fetchers.get(scheme);
    if (fetcher == null) {
      throw new JobException(
          ErrorCode.SOURCE_FORBIDDEN,
          "'%s' references are not taken: only file:, https: and s3: are".formatted(scheme));
    }
    AudioCopy copy = new AudioCopy(directory, maxBytes);
    try {
      attempt(fetcher, uri, copy);
      return new Fetched(copy, copy.sha256());
    } catch (ClosedByInterruptException e) {
      copy.close();
      // The channel left the flag set; the exception takes its place.
      Thread.interrupted();
      throw new InterruptedException();
    } catch (Throwable e) {
      copy.close();
      throw e;
    }
  }

  private void attempt(Fetcher fetcher, URI uri, AudioCopy copy)
      throws JobException, IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        fetcher.fetch(uri, copy);
        return;
      } catch (JobException e) {
        if (!e.code().mayPass() || attempt >= config.attempts()) {
          throw attempt == 1
              ? e
              : new JobException(e.code(), e.getMessage() + " (attempt " + attempt + ")", e);
        }
        Duration pause = pause(attempt);
        LOG.info(
            "fetching failed, attempt {} of {}, again in {} ms: {}",
            attempt,
            config.attempts(),
            pause.toMillis(),
            e.getMessage());
        Thread.sleep(pause.toMillis());
        copy.reset();
      }
    }
  }

  /** Doubled each time, and spread, so that a fleet does not come back all at once. */
  private Duration pause(int attempt) {
    long millis = config.firstPause().toMillis() << Math.min(attempt - 1, 16);
    long bounded = Math.min(millis, LONGEST_PAUSE.toMillis());
    return Duration.ofMillis(bounded / 2 + ThreadLocalRandom.current().nextLong(bounded / 2 + 1));
  }

  @Override
  public void close() {
    fetchers.values().forEach(Fetcher::close);
    abort.close();
  }
}
