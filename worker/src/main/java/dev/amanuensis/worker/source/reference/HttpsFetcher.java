package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;

/**
 * Fetches over HTTPS from hosts on the list. Each redirect is followed here and checked like the
 * reference itself. Time, size, redirects and headers are bounded.
 */
final class HttpsFetcher implements Fetcher {
  static final int MAX_REDIRECTS = 5;

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(30);
  private static final int BLOCK = 1 << 16;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> PASSING = Set.of(408, 425, 429);
  private static final Set<Integer> MISSING = Set.of(404, 410);

  private final HostList hosts;
  private final CloseableHttpClient client;
  private final Duration timeout;
  private final Abort abort;

  HttpsFetcher(ReferenceConfig.Https config, Duration timeout, Abort abort) {
    this.hosts = new HostList(config.hosts());
    this.timeout = timeout;
    this.abort = abort;
    this.client =
        config.hosts().isEmpty()
            ? null
            : HttpsClient.create(
                new AddressRules(config.privateNetworks()),
                HttpsClient.tls(config.authorities()),
                shorter(CONNECT_TIMEOUT, timeout),
                shorter(READ_TIMEOUT, timeout));
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  @Override
  public void fetch(URI uri, AudioCopy into)
      throws JobException, IOException, InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    URI at = uri;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      check(at);
      URI next = get(at, Duration.ofNanos(Math.max(1, end - System.nanoTime())), into);
      if (next == null) {
        return;
      }
      at = next;
    }
    throw refused(uri, "it redirects more than " + MAX_REDIRECTS + " times", null);
  }

  /** Whether the reference, or where it redirects to, may be asked. */
  void check(URI uri) throws JobException {
    boolean allowed;
    try {
      allowed =
          "https".equalsIgnoreCase(uri.getScheme())
              && uri.getHost() != null
              && uri.getRawUserInfo() == null
              && hosts.allows(HostList.canonical(uri.getHost()), uri.getPort());
    } catch (IllegalArgumentException e) {
      allowed = false;
    }
    if (!allowed) {
      throw new JobException(
          ErrorCode.SOURCE_FORBIDDEN,
          shown(uri) + " is not https on a host that this worker may ask (source.https.hosts)");
    }
  }

  /** Where it redirects to, or null once the bytes are there. */
  private URI get(URI uri, Duration left, AudioCopy into)
      throws JobException, IOException, InterruptedException {
    HttpGet request = new HttpGet(uri);
    request.addHeader("Accept", "*/*");
    try (Abort.Watch watch = abort.watch(left, request::cancel)) {
      try (ClassicHttpResponse response = client.executeOpen(null, request, null)) {
        try {
          URI next = follow(uri, response);
          if (next == null) {
            copy(uri, response.getEntity(), into);
          }
          return next;
        } finally {
          request.cancel(); // else closing would read the rest of the body
        }
      } catch (NetworkException e) {
        throw failed(uri, e.getCause(), watch);
      } catch (DiskException e) {
        throw e.cause;
      } catch (IOException | HttpException | RuntimeException e) {
        throw failed(uri, e, watch);
      }
    }
  }

  private static URI follow(URI uri, ClassicHttpResponse response)
      throws JobException, HttpException {
    int status = response.getCode();
    if (status == 200) {
      return null;
    }
    if (REDIRECTS.contains(status)) {
      Header location = response.getHeader("Location");
      try {
        return uri.resolve(URI.create(location == null ? "" : location.getValue().strip()));
      } catch (IllegalArgumentException e) {
        // Not the cause: it repeats the address, which may hold a secret.
        throw refused(uri, "it redirects to what is no address", null);
      }
    }
    String says = "the server answers " + status;
    if (MISSING.contains(status)) {
      throw new JobException(ErrorCode.SOURCE_NOT_FOUND, shown(uri) + ": " + says);
    }
    if (status >= 500 || PASSING.contains(status)) {
      throw new JobException(ErrorCode.SOURCE_UNAVAILABLE, shown(uri) + ": " + says);
    }
    throw refused(uri, says, null);
  }

  private static void copy(URI uri, HttpEntity entity, AudioCopy into)
      throws JobException, NetworkException, DiskException {
    if (entity == null) {
      return;
    }
    into.checkSize(entity.getContentLength());
    byte[] block = new byte[BLOCK];
    try {
      InputStream body = entity.getContent();
      for (int n = body.read(block); n >= 0; n = body.read(block)) {
        write(ByteBuffer.wrap(block, 0, n), into);
      }
    } catch (IOException e) {
      throw new NetworkException(e);
    }
  }

  private static void write(ByteBuffer data, AudioCopy into) throws JobException, DiskException {
    try {
      into.write(data);
    } catch (IOException e) {
      throw new DiskException(e);
    }
  }

  /** In the words of a job's result. */
  private JobException failed(URI uri, Throwable e, Abort.Watch watch) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    if (watch.late() || e instanceof InterruptedIOException) {
      return new JobException(
          ErrorCode.SOURCE_TIMEOUT,
          watch.late()
              ? shown(uri) + " was not read within " + timeout.toSeconds() + " s"
              : shown(uri) + " does not answer: " + e.getMessage(),
          e);
    }
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof HttpsClient.ForbiddenAddressException) {
        return new JobException(ErrorCode.SOURCE_FORBIDDEN, cause.getMessage(), e);
      }
    }
    if (e instanceof SSLPeerUnverifiedException || e instanceof SSLHandshakeException) {
      return refused(uri, "its certificate is not accepted: " + e.getMessage(), e);
    }
    String why = e instanceof UnknownHostException ? "no such host" : e.toString();
    return new JobException(ErrorCode.SOURCE_UNAVAILABLE, shown(uri) + ": " + why, e);
  }

  private static JobException refused(URI uri, String why, Throwable cause) {
    return new JobException(ErrorCode.SOURCE_REFUSED, shown(uri) + ": " + why, cause);
  }

  /** Without user and query, which may carry secrets. */
  private static String shown(URI uri) {
    String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
    return uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath();
  }

  @Override
  public void close() {
    if (client != null) {
      client.close(org.apache.hc.core5.io.CloseMode.IMMEDIATE);
    }
  }

  /** The body's end of the transfer failed. */
  private static final class NetworkException extends Exception {
    private static final long serialVersionUID = 1L;

    NetworkException(IOException cause) {
      super(cause);
    }
  }

  /** Our end of the transfer failed. */
  private static final class DiskException extends Exception {
    private static final long serialVersionUID = 1L;
    private final IOException cause;

    DiskException(IOException cause) {
      super(cause);
      this.cause = cause;
    }
  }
}
