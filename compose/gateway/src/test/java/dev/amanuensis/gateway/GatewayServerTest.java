package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is answered before Kafka is asked. */
@Timeout(30)
class GatewayServerTest {
  private static GatewayConfig config(String... keys) {
    GatewayConfig d = GatewayConfig.defaults();
    return new GatewayConfig(
        List.of(keys), d.maxBodyBytes(), d.inlineBytes(), 1, d.timeout(), d.claimTtl());
  }

  /** Java's client sends no other Host than it should. */
  private static String get(GatewayServer server, String path, String... headers)
      throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      String request =
          "GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n\r\n"
              .formatted(path, String.join("\r\n", headers));
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void withoutKeysItAnswersOnlyForItsOwnNames() throws Exception {
    try (GatewayRoutes routes = new GatewayRoutes(config(), null, code -> code);
        GatewayServer server = new GatewayServer("127.0.0.1", 0, "stt.example"::equals, routes)) {
      assertThat(get(server, "/v1/models", "Host: stt.example")).startsWith("HTTP/1.1 200");
      assertThat(get(server, "/v1/models", "Host: evil.example"))
          .startsWith("HTTP/1.1 421")
          .contains("unknown_host")
          .doesNotContain("whisper-1");
    }
  }

  @Test
  void withKeysAnyNameWillDo() throws Exception {
    try (GatewayRoutes routes = new GatewayRoutes(config("key"), null, code -> code);
        GatewayServer server = new GatewayServer("127.0.0.1", 0, "localhost"::equals, routes)) {
      String[] known = {"Host: stt.example", "Authorization: Bearer key"};
      assertThat(get(server, "/v1/models", known)).startsWith("HTTP/1.1 200");
      assertThat(get(server, "/v1/models", "Host: stt.example")).startsWith("HTTP/1.1 401");
    }
  }

  @Test
  void withoutKeysPagesOfOtherSitesAreRefused() throws Exception {
    try (GatewayRoutes routes = new GatewayRoutes(config(), null, code -> code);
        GatewayServer server = new GatewayServer("127.0.0.1", 0, "localhost"::equals, routes)) {
      assertThat(get(server, "/v1/models", "Host: localhost", "Sec-Fetch-Site: cross-site"))
          .startsWith("HTTP/1.1 403")
          .contains("cross_site");
    }
  }

  @Test
  void idsWithoutATimeHaveNoResult() throws Exception {
    try (GatewayRoutes routes = new GatewayRoutes(config(), null, code -> code);
        GatewayServer server = new GatewayServer("127.0.0.1", 0, "localhost"::equals, routes)) {
      for (String id :
          List.of(
              "00000000-0000-0000-0000-000000000000",
              "6f1c0a52-8f0e-4c43-9a51-3c1f5d0e7b11",
              "talk.mp3")) {
        assertThat(get(server, "/v1/jobs/" + id, "Host: localhost"))
            .startsWith("HTTP/1.1 404")
            .contains("job_not_found", "UUIDs");
      }
    }
  }

  /** As most clients do: a connection that is closed meanwhile is all they would see. */
  @Test
  void clientThatSendsAllBeforeItReadsLearnsWhyItIsRefused() throws Exception {
    try (GatewayRoutes routes = new GatewayRoutes(config(), null, code -> code);
        GatewayServer server = new GatewayServer("127.0.0.1", 0, "localhost"::equals, routes)) {
      long tooMuch = GatewayConfig.defaults().maxBodyBytes() + 1;
      assertThat(post(server, 100 << 16, 100)).startsWith("HTTP/1.1 503").contains("starting");
      assertThat(post(server, tooMuch, Integer.MAX_VALUE)).startsWith("HTTP/1.1 413");
    }
  }

  @Test
  void clientThatAsksBeforeItSendsIsRefusedBeforeItSends() throws Exception {
    try (GatewayRoutes routes = new GatewayRoutes(config(), null, code -> code);
        GatewayServer server = new GatewayServer("127.0.0.1", 0, "localhost"::equals, routes)) {
      long tooMuch = GatewayConfig.defaults().maxBodyBytes() + 1;
      assertThat(post(server, tooMuch, 0, "Expect: 100-continue")).startsWith("HTTP/1.1 413");
    }
  }

  /** Sends at most so many blocks of a body of zeros of that size, and then reads the answer. */
  private static String post(GatewayServer server, long bytes, int blocks, String... headers)
      throws Exception {
    byte[] block = new byte[1 << 16];
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      String head =
          "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
              + " multipart/form-data; boundary=x\r\nContent-Length: %d\r\n%s\r\n";
      OutputStream out = socket.getOutputStream();
      String more = Stream.of(headers).map(h -> h + "\r\n").collect(Collectors.joining());
      out.write(head.formatted(bytes, more).getBytes(StandardCharsets.US_ASCII));
      for (int i = 0; i < blocks && bytes > 0; i++, bytes -= block.length) {
        out.write(block, 0, (int) Math.min(bytes, block.length));
        if (i < 100) {
          Thread.sleep(2); // time enough to be refused
        }
      }
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void addressThatIsNotOursIsNotCalledATakenPort() {
    try (GatewayRoutes routes = new GatewayRoutes(config(), null, code -> code)) {
      // TEST-NET-1 of RFC 5737: nobody's.
      assertThatThrownBy(() -> new GatewayServer("192.0.2.1", 0, host -> true, routes))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("can't listen on 192.0.2.1:0")
          .hasMessageContaining("assign requested address")
          .hasMessageContaining("--host");
    }
  }
}
