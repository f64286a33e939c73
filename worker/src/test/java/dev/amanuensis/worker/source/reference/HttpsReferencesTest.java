package dev.amanuensis.worker.source.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a real HTTPS server on the loopback interface, which only some of the tests allow. */
@Timeout(60)
class HttpsReferencesTest {
  private static final byte[] BODY = "not really audio, but bytes".getBytes();
  private static final List<Cidr> LOOPBACK =
      List.of(Cidr.parse("127.0.0.0/8"), Cidr.parse("::1/128"));
  private static final long MAX = 100_000;

  @TempDir static Path keys;
  @TempDir Path spill;
  private static TlsServer server;
  private static final AtomicInteger ASKED = new AtomicInteger();

  @BeforeAll
  static void start() throws Exception {
    server = new TlsServer(keys, List.of("dns:localhost"));
    server.handle("/", exchange -> answer(exchange, 200, BODY));
    server.handle("/none", exchange -> answer(exchange, 404, new byte[0]));
    server.handle("/denied", exchange -> answer(exchange, 403, new byte[0]));
    server.handle("/big", exchange -> answer(exchange, 200, new byte[(int) MAX + 1]));
    server.handle("/redirect", HttpsReferencesTest::redirect);
    server.handle(
        "/loop",
        exchange -> {
          ASKED.incrementAndGet();
          exchange.getResponseHeaders().set("Location", "/loop");
          answer(exchange, 302, new byte[0]);
        });
    server.handle("/endless", HttpsReferencesTest::endless);
    server.handle("/drip", HttpsReferencesTest::drip);
    server.handle("/cut", HttpsReferencesTest::cut);
    server.handle(
        "/moody", exchange -> answer(exchange, ASKED.incrementAndGet() < 3 ? 503 : 200, BODY));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @AfterEach
  void leavesNoFile() throws IOException {
    try (Stream<Path> left = Files.list(spill)) {
      assertThat(left).isEmpty();
    }
  }

  private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      if (body.length > 0) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  private static void redirect(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Location", exchange.getRequestURI().getQuery());
    answer(exchange, 302, new byte[0]);
  }

  private static void endless(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(200, 0); // chunked
      while (true) {
        exchange.getResponseBody().write(new byte[8192]);
      }
    }
  }

  private static void drip(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(200, 1000);
      for (int i = 0; i < 1000; i++) {
        exchange.getResponseBody().write('x');
        exchange.getResponseBody().flush();
        Thread.sleep(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void cut(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 1000);
    exchange.getResponseBody().write(BODY);
    exchange.getResponseBody().flush();
    throw new IOException("the server dies here");
  }

  private References references(List<Cidr> networks, Duration timeout, String... hosts) {
    return new References(
        new ReferenceConfig(
            List.of(),
            new ReferenceConfig.Https(List.of(hosts), networks, server.certificate()),
            ReferenceConfig.S3.NONE,
            timeout,
            3,
            Duration.ofMillis(10)),
        spill,
        MAX);
  }

  private References allowed() {
    return references(LOOPBACK, Duration.ofSeconds(20), "localhost:" + server.port());
  }

  private static byte[] fetch(References references, URI uri) throws Exception {
    try (References.Fetched fetched = references.fetch(new AudioSource.Reference(uri, null))) {
      return Files.readAllBytes(fetched.copy().path());
    }
  }

  private static JobException fails(ErrorCode code, References references, URI uri) {
    try (references) {
      JobException e = catchThrowableOfType(JobException.class, () -> fetch(references, uri));
      assertThat(e).isNotNull();
      assertThat(e.code()).as(e.getMessage()).isEqualTo(code);
      return e;
    }
  }

  @Test
  void bytesArriveAndAreHashed() throws Exception {
    URI uri = server.uri("localhost", "/tone.wav?signature=secret");
    try (References references = allowed();
        References.Fetched fetched = references.fetch(new AudioSource.Reference(uri, null))) {
      assertThat(fetched.copy().path()).hasBinaryContent(BODY);
      assertThat(fetched.sha256()).isEqualTo(sha256(BODY));
    }
  }

  private static String sha256(byte[] bytes) throws Exception {
    return java.util.HexFormat.of()
        .formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void loopbackIsRefusedThoughTheHostIsOnTheList() {
    String host = "localhost:" + server.port();
    JobException e =
        fails(
            ErrorCode.SOURCE_FORBIDDEN,
            references(List.of(), Duration.ofSeconds(5), host),
            server.uri("localhost", "/"));
    assertThat(e).hasMessageContaining("only public ones");
  }

  @Test
  void addressIsCheckedAgainOnceTheConnectionStands() throws Exception {
    AtomicInteger checks = new AtomicInteger();
    // As if the name led elsewhere between the two checks.
    AddressRules fickle =
        new AddressRules(List.of()) {
          @Override
          boolean allows(InetAddress address) {
            return checks.incrementAndGet() <= addresses("localhost");
          }
        };
    try (CloseableHttpClient client =
        HttpsClient.create(
            fickle,
            HttpsClient.tls(server.certificate()),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5))) {
      assertThatThrownBy(
              () -> client.executeOpen(null, new HttpGet(server.uri("localhost", "/")), null))
          .isInstanceOf(HttpsClient.ForbiddenAddressException.class);
    }
    assertThat(checks.get()).isGreaterThan(addresses("localhost"));
  }

  private static int addresses(String host) {
    try {
      return InetAddress.getAllByName(host).length;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void hostsOffTheListAreNotAsked() {
    fails(ErrorCode.SOURCE_FORBIDDEN, allowed(), server.uri("127.0.0.1", "/"));
    fails(ErrorCode.SOURCE_FORBIDDEN, allowed(), URI.create("https://localhost/"));
    fails(
        ErrorCode.SOURCE_FORBIDDEN,
        allowed(),
        URI.create("https://localhost:" + server.port() + "@evil.example/"));
    fails(
        ErrorCode.SOURCE_FORBIDDEN,
        allowed(),
        URI.create("https://user@localhost:" + server.port() + "/"));
  }

  @Test
  void redirectsAreFollowedWithinTheList() throws Exception {
    try (References references = allowed()) {
      assertThat(fetch(references, server.uri("localhost", "/redirect?/redirect?/tone.wav")))
          .isEqualTo(BODY);
    }
  }

  @Test
  void redirectsOffTheListEndTheFetch() {
    for (String target :
        List.of(
            "https://127.0.0.1:" + server.port() + "/",
            "http://localhost:" + server.port() + "/",
            "https://evil.example/",
            "file:///etc/passwd")) {
      fails(ErrorCode.SOURCE_FORBIDDEN, allowed(), server.uri("localhost", "/redirect?" + target));
    }
  }

  @Test
  void redirectsAreCounted() {
    ASKED.set(0);
    JobException e = fails(ErrorCode.SOURCE_REFUSED, allowed(), server.uri("localhost", "/loop"));
    assertThat(e).hasMessageContaining("redirects more than");
    assertThat(ASKED.get()).isEqualTo(HttpsFetcher.MAX_REDIRECTS + 1);
  }

  @Test
  void whatMayPassIsTriedAgain() throws Exception {
    ASKED.set(0);
    try (References references = allowed()) {
      assertThat(fetch(references, server.uri("localhost", "/moody"))).isEqualTo(BODY);
    }
    assertThat(ASKED.get()).isEqualTo(3);
  }

  @Test
  void whatCanNotPassIsTriedOnce() {
    assertThat(fails(ErrorCode.SOURCE_NOT_FOUND, allowed(), server.uri("localhost", "/none?key=1")))
        .hasMessageContaining("404")
        .hasMessageNotContaining("attempt")
        .hasMessageNotContaining("key=1");
    fails(ErrorCode.SOURCE_REFUSED, allowed(), server.uri("localhost", "/denied"));
  }

  @Test
  void sizeIsBoundedWhetherAnnouncedOrNot() {
    fails(ErrorCode.AUDIO_TOO_LARGE, allowed(), server.uri("localhost", "/big"));
    fails(ErrorCode.AUDIO_TOO_LARGE, allowed(), server.uri("localhost", "/endless"));
  }

  @Test
  void timeIsBoundedThoughBytesKeepComing() {
    long begun = System.nanoTime();
    fails(
        ErrorCode.SOURCE_TIMEOUT,
        references(LOOPBACK, Duration.ofSeconds(1), "localhost:" + server.port()),
        server.uri("localhost", "/drip"));
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void interruptEndsTheTransfer() throws Exception {
    References references = allowed();
    Thread owner = Thread.currentThread();
    Thread canceller =
        new Thread(
            () -> {
              try {
                Thread.sleep(500);
              } catch (InterruptedException e) {
                return;
              }
              owner.interrupt();
            });
    canceller.start();
    try (references) {
      assertThatThrownBy(() -> fetch(references, server.uri("localhost", "/drip")))
          .isInstanceOf(InterruptedException.class);
    }
    canceller.join();
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void halfABodyIsNoBody() {
    fails(ErrorCode.SOURCE_UNAVAILABLE, allowed(), server.uri("localhost", "/cut"));
  }

  @Test
  void certificateMustBeForTheHost() {
    JobException e =
        fails(
            ErrorCode.SOURCE_REFUSED,
            references(LOOPBACK, Duration.ofSeconds(5), "127.0.0.1:" + server.port()),
            server.uri("127.0.0.1", "/"));
    assertThat(e).hasMessageContaining("certificate");
  }

  @Test
  void certificateMustBeTrusted() {
    References strict =
        new References(
            new ReferenceConfig(
                List.of(),
                new ReferenceConfig.Https(List.of("localhost:" + server.port()), LOOPBACK, null),
                ReferenceConfig.S3.NONE,
                Duration.ofSeconds(5),
                3,
                Duration.ofMillis(10)),
            spill,
            MAX);
    fails(ErrorCode.SOURCE_REFUSED, strict, server.uri("localhost", "/"));
  }

  @Test
  void serverThatSaysNothingIsGivenUp() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getByName("127.0.0.1"))) {
      List<Socket> held = new java.util.concurrent.CopyOnWriteArrayList<>();
      Thread accepting =
          new Thread(
              () -> {
                try {
                  while (true) {
                    held.add(silent.accept());
                  }
                } catch (IOException e) {
                  // closed
                }
              });
      accepting.start();
      fails(
          ErrorCode.SOURCE_TIMEOUT,
          references(LOOPBACK, Duration.ofSeconds(1), "localhost:" + silent.getLocalPort()),
          URI.create("https://localhost:" + silent.getLocalPort() + "/"));
      for (Socket socket : held) {
        socket.close();
      }
    }
  }
}
