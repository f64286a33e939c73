package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Fetches {@code s3://bucket/key} from buckets on the list. */
final class S3Fetcher implements Fetcher {
  private static final int BLOCK = 1 << 16;
  private static final Set<Integer> PASSING = Set.of(408, 429);

  private final ReferenceConfig.S3 config;
  private final Duration timeout;
  private final Abort abort;
  private S3Client client;

  S3Fetcher(ReferenceConfig.S3 config, Duration timeout, Abort abort) {
    this.config = config;
    this.timeout = timeout;
    this.abort = abort;
  }

  @Override
  public void fetch(URI uri, AudioCopy into)
      throws JobException, IOException, InterruptedException {
    String bucket = uri.getRawAuthority();
    String key = uri.getPath() == null ? "" : uri.getPath().replaceFirst("^/", "");
    if (bucket == null || !config.buckets().contains(bucket)) {
      throw new JobException(
          ErrorCode.SOURCE_FORBIDDEN,
          shown(uri) + " is not in a bucket that this worker may read (source.s3.buckets)");
    }
    if (key.isEmpty()) {
      throw refused(uri, "the reference names no object", null);
    }
    GetObjectRequest request = GetObjectRequest.builder().bucket(bucket).key(key).build();
    long begun = System.nanoTime();
    try (ResponseInputStream<GetObjectResponse> body = client().getObject(request)) {
      Duration left = timeout.minusNanos(System.nanoTime() - begun);
      try (Abort.Watch watch = abort.watch(left, body::abort)) {
        copy(uri, body, into, watch);
      } catch (JobException | IOException | InterruptedException e) {
        body.abort(); // else closing would read the rest of it
        throw e;
      }
    } catch (SdkException e) {
      throw failed(uri, e);
    }
  }

  private void copy(
      URI uri, ResponseInputStream<GetObjectResponse> body, AudioCopy into, Abort.Watch watch)
      throws JobException, IOException, InterruptedException {
    Long announced = body.response().contentLength();
    into.checkSize(announced == null ? 0 : announced);
    byte[] block = new byte[BLOCK];
    while (true) {
      int n;
      try {
        n = body.read(block);
      } catch (IOException | RuntimeException e) {
        throw broken(uri, e, watch);
      }
      if (n < 0) {
        break;
      }
      into.write(ByteBuffer.wrap(block, 0, n));
    }
    if (watch.late() || Thread.currentThread().isInterrupted()) {
      throw broken(uri, null, watch); // an abort may look like the end
    }
    if (announced != null && announced != into.bytes()) {
      throw new JobException(
          ErrorCode.SOURCE_UNAVAILABLE,
          "%s ended after %d of %d bytes".formatted(shown(uri), into.bytes(), announced));
    }
  }

  private JobException broken(URI uri, Exception e, Abort.Watch watch) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    return watch.late() || e instanceof SocketTimeoutException
        ? timedOut(uri, e)
        : new JobException(ErrorCode.SOURCE_UNAVAILABLE, shown(uri) + ": " + e, e);
  }

  private JobException failed(URI uri, SdkException e) throws InterruptedException {
    if (e instanceof AbortedException || Thread.interrupted()) {
      Thread.interrupted();
      throw new InterruptedException();
    }
    if (e instanceof S3Exception s3) {
      int status = s3.statusCode();
      String says = "the storage answers " + status + " " + code(s3);
      if (status == 404 && namesNoObject(code(s3))) {
        return new JobException(ErrorCode.SOURCE_NOT_FOUND, shown(uri) + ": " + says, e);
      }
      if (status >= 400 && status < 500 && !PASSING.contains(status)) {
        return refused(uri, says, e);
      }
      return new JobException(ErrorCode.SOURCE_UNAVAILABLE, shown(uri) + ": " + says, e);
    }
    if (e.getCause() instanceof SSLHandshakeException
        || e.getCause() instanceof SSLPeerUnverifiedException) {
      return refused(
          uri, "the storage's certificate is not accepted: " + e.getCause().getMessage(), e);
    }
    boolean late =
        e instanceof ApiCallTimeoutException
            || e instanceof ApiCallAttemptTimeoutException
            || e.getCause() instanceof SocketTimeoutException;
    return late
        ? timedOut(uri, e)
        : new JobException(ErrorCode.SOURCE_UNAVAILABLE, shown(uri) + ": " + e.getMessage(), e);
  }

  /** Some makers' storage answers 404 for other reasons, too: a key of credentials it lacks. */
  private static boolean namesNoObject(String code) {
    return code.isEmpty() || code.equals("NotFound") || code.startsWith("NoSuch");
  }

  private static String code(S3Exception e) {
    String code = e.awsErrorDetails() == null ? null : e.awsErrorDetails().errorCode();
    return code == null ? "" : code;
  }

  private JobException timedOut(URI uri, Throwable e) {
    return new JobException(
        ErrorCode.SOURCE_TIMEOUT, shown(uri) + " was not read in time: " + e, e);
  }

  private static JobException refused(URI uri, String why, Throwable cause) {
    return new JobException(ErrorCode.SOURCE_REFUSED, shown(uri) + ": " + why, cause);
  }

  private static String shown(URI uri) {
    return "s3://" + uri.getRawAuthority() + uri.getRawPath();
  }

  /** Made when it is first needed: it looks for credentials and a region. */
  private synchronized S3Client client() {
    if (client == null) {
      client = S3Clients.create(config, timeout);
    }
    return client;
  }

  @Override
  public synchronized void close() {
    if (client != null) {
      client.close();
    }
  }
}
