package dev.amanuensis.broker;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract holds for a registry that we did not write, so it is the right contract. */
class ApicurioRegistryIT extends RegistryContract {
  private static Process process;
  private static String url;

  @BeforeAll
  static void start() throws Exception {
    Path home = Path.of("target/apicurio").toAbsolutePath();
    Path jar;
    try (Stream<Path> files = Files.walk(home)) {
      jar =
          files
              .filter(f -> f.getFileName().toString().endsWith("-runner.jar"))
              .findFirst()
              .orElseThrow(() -> new IllegalStateException("no Apicurio in " + home));
    }
    int port = freePort();
    url = "http://127.0.0.1:" + port + "/apis/ccompat/v7";
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Dquarkus.http.host=127.0.0.1",
                "-Dquarkus.http.port=" + port,
                "-Dquarkus.management.host=127.0.0.1",
                "-jar",
                jar.toString())
            .directory(jar.getParent().toFile())
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("apicurio.log").toFile())
            .start();
    awaitUp();
    put("/config", "{\"compatibility\":\"BACKWARD\"}");
  }

  @AfterAll
  static void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }

  @Override
  String url() {
    return url;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void awaitUp() throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (process.isAlive() && System.nanoTime() < end) {
      try {
        if (send("GET", "/subjects", null) == 200) {
          return;
        }
      } catch (ConnectException e) {
        // not yet
      }
      Thread.sleep(200);
    }
    throw new IllegalStateException("Apicurio did not start; see target/apicurio/apicurio.log");
  }

  private static void put(String path, String body) throws Exception {
    if (send("PUT", path, body) != 200) {
      throw new IllegalStateException("PUT " + path + " was refused");
    }
  }

  private static int send(String method, String path, String body) throws Exception {
    HttpRequest.BodyPublisher content =
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(body);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + path))
            .header("Content-Type", "application/json")
            .method(method, content)
            .build();
    return HttpClient.newHttpClient()
        .send(request, HttpResponse.BodyHandlers.ofString())
        .statusCode();
  }
}
