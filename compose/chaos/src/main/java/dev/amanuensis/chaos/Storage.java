package dev.amanuensis.chaos;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * S3-compatible storage of one bucket that can be slow: what a worker fetches referenced audio
 * from. Answers GET of an object and nothing else, and checks no signature. Thread-safe.
 */
final class Storage implements AutoCloseable {
  static final String BUCKET = "chaos";

  private static final long LATE_MILLIS = 3_000;
  private static final byte[] SLOW_DOWN =
      "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
          .getBytes(StandardCharsets.UTF_8);
  private static final byte[] NO_SUCH_KEY =
      "<Error><Code>NoSuchKey</Code></Error>".getBytes(StandardCharsets.UTF_8);

  private final Function<String, byte[]> objects;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool(Storage::daemon);
  private final AtomicInteger disturbed = new AtomicInteger();
  private volatile boolean slow;

  /**
   * @param objects by key; null where there is none
   */
  Storage(Function<String, byte[]> objects) throws IOException {
    this.objects = objects;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/" + BUCKET + "/", this::serve);
    server.start();
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "storage");
    thread.setDaemon(true);
    return thread;
  }

  static String uri(String key) {
    return "s3://" + BUCKET + "/" + key;
  }

  /** Settings of a worker that reads from it. */
  Map<String, String> settings() {
    return Map.of(
        "source.s3.buckets",
        BUCKET,
        "source.s3.endpoint",
        "http://localhost:" + server.getAddress().getPort(),
        "source.s3.region",
        "us-east-1",
        "source.s3.path.style",
        "true");
  }

  /** While true every answer comes late, and every second one is an error. */
  void slow(boolean value) {
    slow = value;
  }

  /** Answers that were late. */
  int disturbed() {
    return disturbed.get();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      boolean refuse = false;
      if (slow) {
        refuse = disturbed.incrementAndGet() % 2 == 0;
        Thread.sleep(LATE_MILLIS);
      }
      byte[] body = refuse ? null : objects.apply(key(exchange));
      int status = refuse ? 503 : body == null ? 404 : 200;
      byte[] answer = refuse ? SLOW_DOWN : body == null ? NO_SUCH_KEY : body;
      exchange.sendResponseHeaders(status, answer.length);
      exchange.getResponseBody().write(answer);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String key(HttpExchange exchange) {
    return exchange.getRequestURI().getPath().substring(BUCKET.length() + 2);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
