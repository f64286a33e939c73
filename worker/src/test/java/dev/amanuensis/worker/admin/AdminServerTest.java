package dev.amanuensis.worker.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.metrics.NpuFigures;
import dev.amanuensis.worker.metrics.PrometheusText;
import dev.amanuensis.worker.metrics.StageName;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The endpoints as a client sees them. */
class AdminServerTest {
  private static final AdminConfig FREE = new AdminConfig("127.0.0.1", 0, false, List.of());

  private final PrometheusText text = new PrometheusText();
  private final WorkerMetrics metrics = new WorkerMetrics(text.registry());
  private final WorkerState state = new WorkerState();
  private final FakeWorker worker = new FakeWorker(metrics);
  private final HttpClient client = HttpClient.newHttpClient();
  private AdminServer server;

  @BeforeEach
  void start() throws IOException {
    server = AdminServer.start(FREE, state, text, List.of());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private JsonNode json(String path, int status) throws Exception {
    HttpResponse<String> response = get(path);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/json");
    return new ObjectMapper().readTree(response.body());
  }

  /** What the JDK's client does not let one send. */
  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(5_000);
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(StandardCharsets.US_ASCII));
      out.flush();
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static JobResult failed(String id) {
    return new JobResult(
        new Job(
            id,
            new AudioSource.Inline(ByteBuffer.allocate(0), null),
            null,
            TranscriptionOptions.DEFAULTS,
            0,
            null,
            null,
            Map.of()),
        JobResult.Status.FAILED,
        null,
        null,
        ErrorCode.AUDIO_UNREADABLE,
        "no audio",
        Map.of("total", 12.3456));
  }

  @Test
  void liveButNotReadyWhileTheModelIsLoaded() throws Exception {
    state.phase("loading the model");
    assertThat(json("/health/live", 200).path("status").asText()).isEqualTo("up");
    JsonNode ready = json("/health/ready", 503);
    assertThat(ready.path("status").asText()).isEqualTo("down");
    assertThat(ready.path("reason").asText()).isEqualTo("loading the model");
    assertThat(json("/health", 200).path("ready").asBoolean()).isFalse();
    assertThat(json("/pipeline/stats", 503).path("error").asText()).isEqualTo("loading the model");
    assertThat(get("/metrics").statusCode()).isEqualTo(200);
  }

  @Test
  void readyOnlyOnceTheGroupIsJoined() throws Exception {
    worker.joined = false;
    state.attach(worker);
    assertThat(json("/health/ready", 503).path("reason").asText()).isEqualTo("joining amanuensis");
    worker.joined = true;
    JsonNode ready = json("/health/ready", 200);
    assertThat(ready.path("checks").findValuesAsText("name"))
        .containsExactly("model", "device", "group");
    assertThat(ready.has("reason")).isFalse();
  }

  @Test
  void notReadyWhileStopping() throws Exception {
    state.attach(worker);
    state.stopping();
    assertThat(json("/health/ready", 503).path("reason").asText()).isEqualTo("stopping");
    assertThat(json("/health/live", 200).path("status").asText()).isEqualTo("up");
  }

  @Test
  void aFailedWorkerIsNotAlive() throws Exception {
    state.attach(worker);
    worker.failure = new IllegalStateException("fenced");
    assertThat(json("/health/live", 503).path("reason").asText()).contains("fenced");
    assertThat(json("/health/ready", 503).path("reason").asText()).contains("fenced");
    assertThat(json("/health", 503).path("status").asText()).isEqualTo("down");
  }

  @Test
  void healthShowsTheWorkerAndItsPools() throws Exception {
    state.attach(worker);
    JsonNode health = json("/health", 200);
    assertThat(health.at("/worker/id").asText()).isEqualTo("worker-1");
    assertThat(health.at("/worker/model").asText()).isEqualTo("whisper-base");
    assertThat(health.path("buffer_pools").fieldNames())
        .toIterable()
        .containsExactly("mel", "audio", "encoder", "cross_kv");
    assertThat(health.at("/buffer_pools/mel/in_use").asInt()).isEqualTo(2);
    assertThat(health.at("/buffer_pools/mel/hit_rate").asDouble()).isEqualTo(0.97);
    assertThat(health.at("/buffers/cap_bytes").asLong()).isEqualTo(50 << 20);
  }

  @Test
  void statsShowQueuesStagesAndDevice() throws Exception {
    state.attach(worker);
    metrics.stageDone(StageName.ENCODE, null, 700_000_000);
    metrics.queueWaited(StageName.ENCODE, null, 15_000_000);
    metrics.windowDone();
    JsonNode stats = json("/pipeline/stats", 200);
    assertThat(stats.path("mode").asText()).isEqualTo("staged");
    assertThat(stats.at("/queue/encode/depth").asInt()).isEqualTo(3);
    assertThat(stats.at("/queue/encode/wait_ms/p50").asDouble()).isBetween(14.0, 16.0);
    assertThat(stats.at("/stages/encode/p99_ms").asDouble()).isBetween(680.0, 720.0);
    assertThat(stats.at("/stages/publish/count").asInt()).isZero();
    assertThat(stats.path("windows_per_second").asDouble()).isPositive();
    assertThat(stats.path("throughput_rps").asDouble()).isZero();
    assertThat(stats.at("/device/duty").asDouble()).isBetween(0.6, 0.7);
    assertThat(stats.path("device").has("efficiency")).isFalse();
    assertThat(stats.at("/decoder/occupancy").asDouble()).isEqualTo(0.563);
    worker.queued = 9;
    assertThat(json("/pipeline/stats", 200).at("/queue/encode/depth").asInt()).isEqualTo(9);
  }

  @Test
  void statsShowAnNpuThatFailed() throws Exception {
    state.attach(worker);
    assertThat(json("/pipeline/stats", 200).path("device").has("npu")).isFalse();
    worker.npu =
        new NpuFigures(
            new NpuStatistics(
                NpuStatistics.State.DOWN,
                1,
                2,
                1,
                3,
                900,
                0,
                Duration.ofSeconds(10),
                Duration.ofSeconds(60),
                2,
                1,
                1,
                1,
                4,
                14,
                30,
                5,
                120,
                0,
                0,
                "memlock",
                "mmap failed",
                "ulimit -l unlimited",
                "NPU Strix",
                "2.25",
                1200,
                0),
            0.25,
            Double.NaN);
    JsonNode npu = json("/pipeline/stats", 200).at("/device/npu");
    assertThat(npu.path("state").asText()).isEqualTo("down");
    assertThat(npu.path("duty").asDouble()).isEqualTo(0.25);
    assertThat(npu.has("efficiency")).as("it was idle").isFalse();
    assertThat(npu.path("windows").asLong()).isEqualTo(30);
    assertThat(npu.path("spilled_windows").asLong()).isEqualTo(5);
    assertThat(npu.path("cpu_products").asLong()).isEqualTo(120);
    assertThat(npu.path("faults").asLong()).isEqualTo(2);
    assertThat(npu.path("fault").asText()).isEqualTo("memlock");
    assertThat(npu.path("hint").asText()).isEqualTo("ulimit -l unlimited");
  }

  @Test
  void jobsAreFoundWhileHeldAndShortlyAfter() throws Exception {
    state.attach(worker);
    worker.jobs.add(FakeWorker.held("a b/ü"));
    metrics.jobEnded(failed("gone"));
    JsonNode held = json("/jobs/a%20b%2F%C3%BC", 200);
    assertThat(held.path("state").asText()).isEqualTo("RUNNING");
    assertThat(held.path("stage").asText()).isEqualTo("decode");
    assertThat(held.path("done_seconds").asDouble()).isEqualTo(30);
    JsonNode ended = json("/jobs/gone", 200);
    assertThat(ended.path("state").asText()).isEqualTo("FAILED");
    assertThat(ended.path("code").asText()).isEqualTo("AUDIO_UNREADABLE");
    assertThat(ended.path("total_ms").asDouble()).isEqualTo(12.346);
    assertThat(json("/jobs/unknown", 404).path("error").asText()).contains("does not hold");
  }

  @Test
  void metricsComeInTheFormatThatIsAskedFor() throws Exception {
    metrics.jobEnded(failed("job-7"));
    HttpResponse<String> plain = get("/metrics");
    assertThat(plain.headers().firstValue("Content-Type").orElse(""))
        .startsWith("text/plain; version=0.0.4");
    assertThat(plain.body())
        .contains("amanuensis_jobs_failures_total{code=\"AUDIO_UNREADABLE\"} 1.0")
        .doesNotContain("job-7");
    HttpResponse<String> open =
        get("/metrics", "Accept", "application/openmetrics-text; version=1.0.0");
    assertThat(open.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/openmetrics-text");
    assertThat(open.body()).contains("# {job_id=\"job-7\"} ").endsWith("# EOF\n");
  }

  @Test
  void thePageRunsNothingButItsOwnScript() throws Exception {
    HttpResponse<String> page = get("/");
    String policy = page.headers().firstValue("Content-Security-Policy").orElse("");
    assertThat(policy)
        .contains("default-src 'none'")
        .containsPattern("script-src 'sha256-[^']+'$")
        .doesNotContain("unsafe");
    assertThat(page.body()).doesNotContain("http://127").doesNotContain("innerHTML");
    assertThat(page.headers().firstValue("X-Frame-Options")).contains("DENY");
  }

  @Test
  void aForeignHostNameIsRefused() throws Exception {
    state.attach(worker);
    for (String path : List.of("/", "/health", "/metrics", "/pipeline/stats", "/jobs/x")) {
      String answer =
          raw("GET " + path + " HTTP/1.1\r\nHost: evil.example:9050\r\nConnection: close\r\n\r\n");
      assertThat(answer).startsWith("HTTP/1.1 421 ").doesNotContain("worker-1");
    }
    String local = raw("GET /health HTTP/1.1\r\nHost: LocalHost:1\r\nConnection: close\r\n\r\n");
    assertThat(local).startsWith("HTTP/1.1 200 ");
  }

  @Test
  void nothingCanBeWritten() throws Exception {
    HttpResponse<String> response =
        client.send(
            HttpRequest.newBuilder(URI.create(server.url() + "/health"))
                .POST(HttpRequest.BodyPublishers.ofString("x"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(405);
    assertThat(get("/nothing").statusCode()).isEqualTo(404);
    assertThat(raw("HEAD /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 200 ");
  }

  @Test
  void idleConnectionsDoNotKeepOthersOut() throws Exception {
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 40; i++) {
        idle.add(new Socket(InetAddress.getLoopbackAddress(), server.port()));
        idle.get(i).getOutputStream().write("GET /health HTTP/1.1\r\n".getBytes());
      }
      assertThat(get("/health/live").statusCode()).isEqualTo(200);
      assertThat(
              Thread.getAllStackTraces().keySet().stream()
                  .filter(t -> t.getName().startsWith("admin-")))
          .hasSizeLessThanOrEqualTo(8);
    } finally {
      for (Socket s : idle) {
        s.close();
      }
    }
  }

  @Test
  void aTakenPortIsAnErrorUnlessNobodyChoseIt() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int port = taken.getLocalPort();
      assertThatThrownBy(
              () ->
                  AdminServer.start(
                      new AdminConfig("127.0.0.1", port, false, List.of()), state, text, List.of()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("127.0.0.1:" + port)
          .hasMessageContaining("admin.port");
      AdminConfig fallBack = new AdminConfig("127.0.0.1", port, true, List.of());
      try (AdminServer other = AdminServer.start(fallBack, state, text, List.of())) {
        assertThat(other.port()).isPositive().isNotEqualTo(port);
      }
    }
  }
}
