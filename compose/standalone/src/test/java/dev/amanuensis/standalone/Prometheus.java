package dev.amanuensis.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real Prometheus server that scrapes one worker, with exemplars. */
final class Prometheus implements AutoCloseable {
  private static final long START_MILLIS = 180_000;

  private final HttpClient client = HttpClient.newHttpClient();
  private final Process process;
  private final String url;

  private Prometheus(Process process, String url) {
    this.process = process;
    this.url = url;
  }

  static boolean isInstalled() {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(dir -> Files.isExecutable(Path.of(dir, "prometheus")));
  }

  static Prometheus scraping(URI worker, Path data) throws IOException {
    Files.createDirectories(data);
    Path config = data.resolve("prometheus.yml");
    Files.writeString(
        config,
        """
        global: {scrape_interval: 3s, scrape_timeout: 3s}
        scrape_configs:
          - job_name: amanuensis
            static_configs: [{targets: ['%s']}]
        """
            .formatted(worker.getAuthority()));
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      port = free.getLocalPort();
    }
    Process process =
        new ProcessBuilder(
                "prometheus",
                "--config.file=" + config,
                "--storage.tsdb.path=" + data.resolve("tsdb"),
                "--web.listen-address=127.0.0.1:" + port,
                "--enable-feature=exemplar-storage")
            .redirectErrorStream(true)
            .redirectOutput(data.resolve("log").toFile())
            .start();
    return new Prometheus(process, "http://127.0.0.1:" + port);
  }

  /** The expressions of all panels, with Grafana's interval replaced. */
  static List<String> queriesOf(Path dashboards) throws IOException {
    List<String> queries = new ArrayList<>();
    try (Stream<Path> files = Files.list(dashboards)) {
      for (Path file : files.toList()) {
        for (JsonNode panel : new ObjectMapper().readTree(file.toFile()).path("panels")) {
          panel
              .path("targets")
              .forEach(t -> queries.add(t.path("expr").asText().replace("$__rate_interval", "1m")));
        }
      }
    }
    return queries;
  }

  void awaitScrapes(int wanted) throws Exception {
    long end = System.currentTimeMillis() + START_MILLIS;
    while (true) {
      try {
        JsonNode result = query("count_over_time(amanuensis_ready[1m])");
        if (!result.isEmpty() && result.get(0).at("/value/1").asInt() >= wanted) {
          return;
        }
      } catch (IOException e) {
        if (!process.isAlive()) {
          throw e;
        }
      }
      if (System.currentTimeMillis() > end) {
        throw new AssertionError("prometheus does not scrape the worker");
      }
      Thread.sleep(200);
    }
  }

  /** The result vector now. */
  JsonNode query(String expression) throws Exception {
    String path = "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8);
    HttpResponse<String> response =
        client.send(
            HttpRequest.newBuilder(URI.create(url + path)).build(),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() == 400) {
      throw new AssertionError(expression + ": " + response.body());
    }
    return new ObjectMapper().readTree(response.body()).at("/data/result");
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
