package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.amanuensis.cli.kafka.S3Storage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real S3 client speaks to a server that knows putting, listing and deleting. */
class ClaimStoreTest {
  private static final byte[] AUDIO = "bytes of audio".getBytes(StandardCharsets.UTF_8);
  private static final Instant NOW = Instant.parse("2030-01-02T00:00:00Z");

  @TempDir Path directory;

  /** When each object was written. */
  private final Map<String, Instant> objects = new ConcurrentSkipListMap<>();

  private HttpServer server;

  @AfterEach
  void stop() {
    if (server != null) {
      server.stop(0);
    }
    System.clearProperty("aws.accessKeyId");
    System.clearProperty("aws.secretAccessKey");
  }

  private S3Claims claims() throws IOException {
    System.setProperty("aws.accessKeyId", "test");
    System.setProperty("aws.secretAccessKey", "test");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/claims", this::serve);
    server.start();
    URI endpoint = URI.create("http://localhost:" + server.getAddress().getPort());
    return new S3Claims(new S3Storage(URI.create("s3://claims/gateway"), endpoint, "x-1", true));
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String key = exchange.getRequestURI().getPath().replaceFirst("^/claims/?", "");
      byte[] answer = new byte[0];
      switch (exchange.getRequestMethod()) {
        case "PUT" -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          assertThat(new String(body, StandardCharsets.UTF_8)).contains("bytes of audio");
          objects.put(key, NOW);
        }
        case "DELETE" -> objects.remove(key);
        default -> answer = listing().getBytes(StandardCharsets.UTF_8);
      }
      exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
      exchange.getResponseBody().write(answer);
    }
  }

  private String listing() {
    StringBuilder xml = new StringBuilder("<ListBucketResult><IsTruncated>false</IsTruncated>");
    objects.forEach(
        (key, written) ->
            xml.append(
                "<Contents><Key>%s</Key><LastModified>%s</LastModified></Contents>"
                    .formatted(key, written)));
    return xml.append("</ListBucketResult>").toString();
  }

  @Test
  void objectIsThereUntilItsJobIsDone() throws Exception {
    try (S3Claims claims = claims()) {
      URI reference = claims.put("job-1", () -> new ByteArrayInputStream(AUDIO), AUDIO.length);
      assertThat(reference).hasToString("s3://claims/gateway/job-1");
      assertThat(objects).containsOnlyKeys("gateway/job-1");
      claims.remove("job-1");
      assertThat(objects).isEmpty();
    }
  }

  @Test
  void onlyObjectsOlderThanTheLimitAreSwept() throws Exception {
    try (S3Claims claims = claims()) {
      objects.put("gateway/old", NOW.minusSeconds(3601));
      objects.put("gateway/young", NOW.minusSeconds(3599));
      claims.sweep(NOW.minusSeconds(3600));
      assertThat(objects).containsOnlyKeys("gateway/young");
    }
  }

  @Test
  void storageThatIsGoneIsToldByPuttingAndBorneByRemoving() throws Exception {
    try (S3Claims claims = claims()) {
      server.stop(0);
      claims.remove("job-1");
      claims.sweep(NOW);
      assertThatThrownBy(() -> claims.put("j", () -> new ByteArrayInputStream(AUDIO), 14))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("s3://claims");
    }
  }

  @Test
  void filesAreCompleteRemovedAndSwept() throws Exception {
    try (DirectoryClaims claims = new DirectoryClaims(directory.resolve("claims"))) {
      Path file = Path.of(claims.put("job-1", () -> new ByteArrayInputStream(AUDIO), 14));
      assertThat(file).hasBinaryContent(AUDIO);
      claims.sweep(Instant.now().minusSeconds(60));
      assertThat(file).exists();
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(61)));
      claims.sweep(Instant.now().minusSeconds(60));
      assertThat(file).doesNotExist();
      claims.remove("job-1");
    }
  }

  @Test
  void audioOfARequestThatIsSentAgainReplacesTheFirst() throws Exception {
    byte[] again = "again".getBytes(StandardCharsets.UTF_8);
    try (DirectoryClaims claims = new DirectoryClaims(directory.resolve("claims"))) {
      claims.put("job-1", () -> new ByteArrayInputStream(AUDIO), AUDIO.length);
      Path file = Path.of(claims.put("job-1", () -> new ByteArrayInputStream(again), 5));
      assertThat(file).hasBinaryContent(again);
      try (var files = Files.list(directory.resolve("claims"))) {
        assertThat(files).hasSize(1);
      }
    }
  }
}
