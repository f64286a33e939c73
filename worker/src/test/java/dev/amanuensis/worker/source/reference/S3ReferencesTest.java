package dev.amanuensis.worker.source.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real client against a server that speaks as much S3 as reading needs, signatures included.
 */
@Timeout(60)
class S3ReferencesTest {
  private static final byte[] BODY = "bytes of an object".getBytes(StandardCharsets.UTF_8);
  private static final String KEY_ID = "AKTEST";
  private static final String SECRET = "not/really+secret";
  private static final long MAX = 50_000;

  @TempDir Path spill;
  private final AtomicInteger asked = new AtomicInteger();
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    System.setProperty("aws.accessKeyId", KEY_ID);
    System.setProperty("aws.secretAccessKey", SECRET);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
    server.setExecutor(executor);
    server.createContext("/", this::serve);
    server.start();
  }

  @AfterEach
  void stop() throws IOException {
    server.stop(0);
    executor.shutdownNow();
    System.clearProperty("aws.accessKeyId");
    System.clearProperty("aws.secretAccessKey");
    try (Stream<Path> left = Files.list(spill)) {
      assertThat(left).isEmpty();
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      asked.incrementAndGet();
      String path = exchange.getRequestURI().getRawPath();
      if (!SignatureV4.isSignedBy(exchange, KEY_ID, SECRET)) {
        error(exchange, 403, "SignatureDoesNotMatch");
        return;
      }
      switch (path) {
        case "/audio/a%20folder/t%C3%B6ne.wav" -> {
          exchange.sendResponseHeaders(200, BODY.length);
          exchange.getResponseBody().write(BODY);
        }
        case "/audio/big" -> {
          exchange.sendResponseHeaders(200, MAX + 1);
          exchange.getResponseBody().write(new byte[1000]);
        }
        case "/audio/keyless" -> error(exchange, 404, "XAdminUserNotFound"); // versitygw's
        case "/audio/moody" -> {
          if (asked.get() < 3) {
            error(exchange, 503, "SlowDown");
          } else {
            exchange.sendResponseHeaders(200, BODY.length);
            exchange.getResponseBody().write(BODY);
          }
        }
        case "/audio/cut" -> {
          exchange.sendResponseHeaders(200, 1000);
          exchange.getResponseBody().write(BODY);
          throw new IOException("the storage dies here");
        }
        case "/audio/drip" -> {
          exchange.sendResponseHeaders(200, 1000);
          for (int i = 0; i < 1000; i++) {
            exchange.getResponseBody().write('x');
            exchange.getResponseBody().flush();
            Thread.sleep(100);
          }
        }
        default -> error(exchange, 404, "NoSuchKey");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void error(HttpExchange exchange, int status, String code) throws IOException {
    byte[] xml =
        ("<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>no</Message></Error>")
            .getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/xml");
    exchange.sendResponseHeaders(status, xml.length);
    exchange.getResponseBody().write(xml);
  }

  private References references(Duration timeout) {
    return references(URI.create("http://127.0.0.1:" + server.getAddress().getPort()), timeout);
  }

  private References references(URI endpoint, Duration timeout) {
    return new References(
        new ReferenceConfig(
            List.of(),
            ReferenceConfig.Https.NONE,
            new ReferenceConfig.S3(List.of("audio"), endpoint, "eu-test-1", true),
            timeout,
            3,
            Duration.ofMillis(10)),
        spill,
        MAX);
  }

  private static byte[] fetch(References references, String uri) throws Exception {
    try (References.Fetched fetched =
        references.fetch(new AudioSource.Reference(URI.create(uri), null))) {
      return Files.readAllBytes(fetched.copy().path());
    }
  }

  private JobException fails(ErrorCode code, String uri) {
    return fails(code, uri, Duration.ofSeconds(20));
  }

  private JobException fails(ErrorCode code, String uri, Duration timeout) {
    asked.set(0);
    try (References references = references(timeout)) {
      JobException e = catchThrowableOfType(JobException.class, () -> fetch(references, uri));
      assertThat(e).isNotNull();
      assertThat(e.code()).as(e.getMessage()).isEqualTo(code);
      return e;
    }
  }

  @Test
  void objectIsFetchedWithASignedRequest() throws Exception {
    try (References references = references(Duration.ofSeconds(20))) {
      assertThat(fetch(references, "s3://audio/a%20folder/t%C3%B6ne.wav")).isEqualTo(BODY);
    }
  }

  @Test
  void wrongSecretIsRefusedOnce() {
    System.setProperty("aws.secretAccessKey", "wrong");
    assertThat(fails(ErrorCode.SOURCE_REFUSED, "s3://audio/x"))
        .hasMessageContaining("403 SignatureDoesNotMatch")
        .hasMessageNotContaining("wrong");
    assertThat(asked.get()).isEqualTo(1);
  }

  @Test
  void unknownKeyIsRefusedThoughTheStorageSays404() {
    assertThat(fails(ErrorCode.SOURCE_REFUSED, "s3://audio/keyless"))
        .hasMessageContaining("XAdminUserNotFound");
    assertThat(asked.get()).isEqualTo(1);
  }

  @Test
  void certificateOfNobodyKnownIsRefused(@TempDir Path keys) throws Exception {
    try (TlsServer storage = new TlsServer(keys, List.of("dns:localhost"));
        References references = references(storage.uri("localhost", ""), Duration.ofSeconds(20))) {
      storage.handle("/", exchange -> asked.incrementAndGet());
      JobException e =
          catchThrowableOfType(
              JobException.class, () -> fetch(references, "s3://audio/a%20folder/t%C3%B6ne.wav"));
      assertThat(e.code()).as(e.getMessage()).isEqualTo(ErrorCode.SOURCE_REFUSED);
      assertThat(e).hasMessageContaining("certificate");
      assertThat(asked.get()).isZero();
    }
  }

  @Test
  void otherBucketsAreNotAsked() {
    for (String uri :
        List.of("s3://other/x", "s3://audio@other/x", "s3://audio:80/x", "s3:///x", "s3:x")) {
      fails(ErrorCode.SOURCE_FORBIDDEN, uri);
      assertThat(asked.get()).isZero();
    }
  }

  @Test
  void missingObjectIsToldOnce() {
    fails(ErrorCode.SOURCE_NOT_FOUND, "s3://audio/none");
    assertThat(asked.get()).isEqualTo(1);
    fails(ErrorCode.SOURCE_REFUSED, "s3://audio/");
  }

  @Test
  void busyStorageIsAskedAgain() throws Exception {
    try (References references = references(Duration.ofSeconds(20))) {
      assertThat(fetch(references, "s3://audio/moody")).isEqualTo(BODY);
    }
    assertThat(asked.get()).isEqualTo(3);
  }

  @Test
  void sizeAndTimeAreBounded() {
    fails(ErrorCode.AUDIO_TOO_LARGE, "s3://audio/big");
    assertThat(asked.get()).isEqualTo(1);
    fails(ErrorCode.SOURCE_TIMEOUT, "s3://audio/drip", Duration.ofSeconds(1));
  }

  @Test
  void halfAnObjectIsNoObject() {
    fails(ErrorCode.SOURCE_UNAVAILABLE, "s3://audio/cut");
    assertThat(asked.get()).isEqualTo(3);
  }
}
