package dev.amanuensis.cli.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlacementTest {
  @TempDir Path root;
  @TempDir Path elsewhere;

  @Test
  void sizeDecidesWhatTravelsInside() {
    Placement placement = new Placement(10, List.of(), null);
    assertThat(placement.inline(10)).isTrue();
    assertThat(placement.inline(11)).isFalse();
    assertThat(placement.explain(1234)).contains("1,234").contains("--max-inline-bytes 10");
  }

  @Test
  void onlyRealFilesBelowARootAreShared() throws IOException {
    Placement placement = new Placement(0, List.of(root), null);
    Path inside = Files.writeString(root.resolve("a.wav"), "a");
    Path outside = Files.writeString(elsewhere.resolve("b.wav"), "b");
    Path link = Files.createSymbolicLink(root.resolve("link.wav"), outside);
    assertThat(placement.shared(inside.toRealPath())).isTrue();
    assertThat(placement.shared(outside.toRealPath())).isFalse();
    assertThat(placement.shared(link.toRealPath())).isFalse();
  }

  @Test
  void uploadNamesTheObjectByJobAndFile() throws Exception {
    Map<String, byte[]> stored = new ConcurrentHashMap<>();
    HttpServer storage =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    storage.createContext(
        "/",
        exchange -> {
          try (exchange) {
            stored.put(
                exchange.getRequestMethod() + " " + exchange.getRequestURI().getRawPath(),
                exchange.getRequestBody().readAllBytes());
            exchange.getResponseHeaders().set("ETag", "\"x\"");
            exchange.sendResponseHeaders(200, -1);
          }
        });
    storage.start();
    System.setProperty("aws.accessKeyId", "test");
    System.setProperty("aws.secretAccessKey", "test");
    URI endpoint = URI.create("http://localhost:" + storage.getAddress().getPort());
    Path file = Files.writeString(root.resolve("a töne.wav"), "bytes");
    try (S3Upload upload =
        new S3Upload(new S3Storage(URI.create("s3://audio/inbox/"), endpoint, "eu-test-1", true))) {
      assertThat(upload.upload("id-1", file, "audio/wav"))
          .isEqualTo("s3://audio/inbox/id-1/a%20t%C3%B6ne.wav");
    } finally {
      storage.stop(0);
      System.clearProperty("aws.accessKeyId");
      System.clearProperty("aws.secretAccessKey");
    }
    assertThat(stored).containsOnlyKeys("PUT /audio/inbox/id-1/a%20t%C3%B6ne.wav");
    assertThat(stored.values().iterator().next()).asString().contains("bytes");
  }

  @Test
  void lanesFollowTheNameOfTheNormalOne() {
    assertThat(Lane.INTERACTIVE.topic("audio-jobs")).isEqualTo("audio-jobs.interactive");
    assertThat(Lane.NORMAL.topic("audio-jobs")).isEqualTo("audio-jobs");
    assertThat(Lane.BULK.topic("speech")).isEqualTo("speech.bulk");
  }

  @Test
  void ourIdsTellFromWhenOnToLook() {
    long now = System.currentTimeMillis();
    assertThat(JobHistory.since(JobIds.next()).toEpochMilli()).isBetween(now - 3_700_000, now);
    assertThat(JobHistory.since("order-17")).isNull();
    assertThat(JobHistory.since("00000000-0000-4000-8000-000000000000")).isNull();
  }
}
