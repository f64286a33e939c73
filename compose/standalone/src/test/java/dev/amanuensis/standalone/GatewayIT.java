package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.cli.kafka.JobIds;
import dev.amanuensis.gateway.ClaimStore;
import dev.amanuensis.gateway.DirectoryClaims;
import dev.amanuensis.gateway.GatewayConfig;
import dev.amanuensis.gateway.GatewayRoutes;
import dev.amanuensis.gateway.GatewayServer;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.transcription.Languages;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's API as its clients call it, through a real Kafka and a real worker. */
class GatewayIT {
  private static final String KEY = "a-key";
  private static final Path LONG =
      Commands.JFK.getParent().resolve("../../../../../worker/src/test/resources/speech/long.flac");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path directory;
  private static Fleet fleet;
  private static GatewayRoutes routes;
  private static GatewayServer server;
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    Path claims = Files.createDirectory(directory.resolve("claims"));
    fleet =
        Fleet.start(
            new Fleet.Plan(
                directory.resolve("data"),
                0,
                0,
                Map.of(Setting.ALLOWED_ROOTS.key(), claims.toRealPath().toString())));
    while (fleet.starting() != null) {
      fleet.check();
      Thread.sleep(50);
    }
    routes = new GatewayRoutes(config(2), claims(), Languages::name);
    server = new GatewayServer("127.0.0.1", 0, h -> true, routes);
    assertThat(send(post("/v1/audio/transcriptions", new byte[1])).statusCode()).isEqualTo(503);
    assertThat(send(request(server, "/health/ready").build()).statusCode()).isEqualTo(503);
    routes.open(fleet.target());
    assertThat(send(request(server, "/health/ready").build()).statusCode()).isEqualTo(200);
  }

  private static GatewayConfig config(int maxWaiting) {
    GatewayConfig d = GatewayConfig.defaults();
    return new GatewayConfig(
        List.of(KEY), 3 << 20, d.inlineBytes(), maxWaiting, Duration.ofMinutes(2), d.claimTtl());
  }

  private static ClaimStore claims() throws IOException {
    return new DirectoryClaims(directory.resolve("claims"));
  }

  @AfterAll
  static void stop() {
    server.close();
    routes.close();
    fleet.abandon();
  }

  private static HttpRequest.Builder request(GatewayServer at, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + at.port() + path))
        .header("Authorization", "Bearer " + KEY);
  }

  private static HttpRequest post(String path, byte[] audio, String... fields) throws IOException {
    return Multipart.form(request(server, path), audio, fields).build();
  }

  private static HttpResponse<String> send(HttpRequest request) throws Exception {
    return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private static HttpResponse<String> transcribe(byte[] audio, String... fields) throws Exception {
    List<String> all = new ArrayList<>(List.of("model", "whisper-1"));
    all.addAll(List.of(fields));
    return send(post("/v1/audio/transcriptions", audio, all.toArray(String[]::new)));
  }

  @Test
  void everyFormatHasTheText() throws Exception {
    byte[] jfk = Files.readAllBytes(Commands.JFK);
    for (String format : List.of("json", "text", "srt", "vtt", "verbose_json")) {
      HttpResponse<String> answer = transcribe(jfk, "response_format", format, "language", "en");
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      assertThat(answer.body()).as(format).contains("what your country can do for you");
    }
    JsonNode words =
        JSON.readTree(
            transcribe(jfk, "response_format", "verbose_json", "timestamp_granularities[]", "word")
                .body());
    assertThat(words.get("language").asText()).isEqualTo("english");
    assertThat(words.get("words").get(4).get("word").asText()).startsWith("Americans");
    assertThat(words.get("words").get(4).get("start").asDouble()).isBetween(1.0, 2.2);
    assertThat(words.has("segments")).isFalse();
    assertThat(words.at("/usage/seconds").asInt()).isEqualTo(11);
  }

  @Test
  void audioBeyondARecordStreamsFromTheClaimStoreAndLeavesNothingThere() throws Exception {
    byte[] audio = Files.readAllBytes(LONG);
    assertThat(audio.length).isGreaterThan(1_000_000);
    HttpResponse<String> answer = transcribe(audio, "stream", "true", "language", "en");
    assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
        .startsWith("text/event-stream");
    assertThat(Events.text(answer.body())).contains("Rachel");
    becomesEmpty(directory.resolve("claims"));
  }

  /** Audio is removed after the answer. */
  private static void becomesEmpty(Path claims) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    List<Path> left;
    do {
      Thread.sleep(10);
      try (var files = Files.list(claims)) {
        left = files.toList();
      }
    } while (!left.isEmpty() && System.nanoTime() < deadline);
    assertThat(left).isEmpty();
  }

  @Test
  void standaloneServesTheSameBesideItsAdminPages() throws Exception {
    String base = fleet.adminUrl().orElseThrow();
    URI transcriptions = URI.create(base + "v1/audio/transcriptions");
    byte[] jfk = Files.readAllBytes(Commands.JFK);
    HttpResponse<String> words =
        send(
            Multipart.form(
                    HttpRequest.newBuilder(transcriptions),
                    jfk,
                    "model",
                    "whisper-1",
                    "response_format",
                    "verbose_json",
                    "timestamp_granularities[]",
                    "word",
                    "timestamp_granularities[]",
                    "segment")
                .build());
    assertThat(words.statusCode()).as(words.body()).isEqualTo(200);
    assertThat(JSON.readTree(words.body()).at("/words/4/word").asText()).startsWith("Americans");
    assertThat(JSON.readTree(words.body()).at("/segments/0/text").asText()).contains("country");
    String id = words.headers().firstValue("X-Job-Id").orElseThrow();
    HttpResponse<String> stream =
        send(
            Multipart.form(
                    HttpRequest.newBuilder(transcriptions),
                    Files.readAllBytes(LONG),
                    "model",
                    "whisper-1",
                    "stream",
                    "true",
                    "language",
                    "en")
                .build());
    assertThat(Events.text(stream.body())).contains("Rachel");
    assertThat(get(base + "v1/models").body()).contains("whisper-1");
    assertThat(get(base + "v1/jobs/" + id).body()).contains("your country");
    assertThat(get(base + "health").body()).contains("buffer_pools");
    assertThat(get(base + "pipeline/stats").statusCode()).isEqualTo(200);
    HttpResponse<String> unknown = get(base + "v1/chat/completions");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(JSON.readTree(unknown.body()).at("/error/type").asText())
        .isEqualTo("invalid_request_error");
    HttpRequest page =
        Multipart.form(HttpRequest.newBuilder(transcriptions), jfk, "model", "whisper-1")
            .header("Sec-Fetch-Site", "cross-site")
            .build();
    assertThat(send(page).statusCode()).isEqualTo(403);
    becomesEmpty(directory.resolve("data/claims"));
  }

  private static HttpResponse<String> get(String url) throws Exception {
    return send(HttpRequest.newBuilder(URI.create(url)).build());
  }

  @Test
  void requestWithAnIdThatIsUnderWayIsRefusedAndTheFirstIsAnswered() throws Exception {
    byte[] audio = Files.readAllBytes(LONG);
    String id = JobIds.next();
    Callable<HttpRequest> request =
        () ->
            Multipart.form(
                    request(server, "/v1/audio/transcriptions").header("X-Job-Id", id),
                    audio,
                    "model",
                    "whisper-1",
                    "language",
                    "en")
                .build();
    CompletableFuture<HttpResponse<String>> first =
        HTTP.sendAsync(request.call(), HttpResponse.BodyHandlers.ofString());
    while (routes.waiting() == 0) {
      Thread.sleep(5);
    }
    HttpResponse<String> second = send(request.call());
    assertThat(second.statusCode()).as(second.body()).isEqualTo(409);
    assertThat(first.join().statusCode()).isEqualTo(200);
    assertThat(first.join().body()).contains("Rachel");
    assertThat(routes.waiting()).isZero();
  }

  @Test
  void bodiesThatNeverEndKeepNobodyOut() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 40; i++) {
        Socket socket = new Socket("127.0.0.1", server.port());
        slow.add(socket);
        socket
            .getOutputStream()
            .write(
                ("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                        + KEY
                        + "\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                        + "Content-Length: 100000\r\n\r\n--x\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
      }
      HttpResponse<String> refused = transcribe(Files.readAllBytes(Commands.JFK));
      for (int i = 0; refused.statusCode() != 429 && i < 50; i++) { // until they are all read
        Thread.sleep(50);
        refused = transcribe(Files.readAllBytes(Commands.JFK));
      }
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(send(request(server, "/health").build()).statusCode()).isEqualTo(200);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    HttpResponse<String> answer = transcribe(Files.readAllBytes(Commands.JFK), "language", "en");
    for (int i = 0; answer.statusCode() == 429 && i < 50; i++) {
      Thread.sleep(100);
      answer = transcribe(Files.readAllBytes(Commands.JFK), "language", "en");
    }
    assertThat(answer.body()).contains("your country");
  }

  /** In the topic of transcripts, with that key: what no reader can use. */
  private static void putForeignResult(String key) throws Exception {
    Map<String, Object> c = Map.of("bootstrap.servers", fleet.target().bootstrapServers());
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(c, new StringSerializer(), new ByteArraySerializer())) {
      byte[] noResult = "no result".getBytes(StandardCharsets.UTF_8);
      producer.send(new ProducerRecord<>(Topics.TRANSCRIPTS, key, noResult)).get();
    }
  }

  @Test
  void anotherGatewayFindsAResultByTheJobsIdBesideWhatIsNone() throws Exception {
    HttpResponse<String> answer = transcribe(Files.readAllBytes(Commands.JFK), "language", "en");
    String id = answer.headers().firstValue("X-Job-Id").orElseThrow();
    putForeignResult(id);
    putForeignResult(null);
    try (GatewayRoutes later = new GatewayRoutes(config(1), claims(), Languages::name);
        GatewayServer other = new GatewayServer("127.0.0.1", 0, h -> true, later)) {
      later.open(fleet.target());
      HttpResponse<String> found = send(request(other, "/v1/jobs/" + id).build());
      assertThat(found.statusCode()).as(found.body()).isEqualTo(200);
      assertThat(JSON.readTree(found.body()).get("text").asText())
          .isEqualTo(JSON.readTree(answer.body()).get("text").asText());
      String unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
      assertThat(send(request(other, "/v1/jobs/" + unknown).build()).statusCode()).isEqualTo(404);
      String ancient = "00000000-0000-7000-8000-000000000000";
      assertThat(send(request(other, "/v1/jobs/" + ancient).build()).statusCode()).isEqualTo(404);
    }
  }

  @Test
  void stoppingGatewayAnswersThoseWhoWaitAndTheirJobsGoOn() throws Exception {
    byte[] audio = Files.readAllBytes(LONG);
    HttpResponse<String> answer;
    try (GatewayRoutes stopping = new GatewayRoutes(config(1), claims(), Languages::name);
        GatewayServer other = new GatewayServer("127.0.0.1", 0, h -> true, stopping)) {
      stopping.open(fleet.target());
      HttpRequest request =
          Multipart.form(request(other, "/v1/audio/transcriptions"), audio, "model", "whisper-1")
              .build();
      CompletableFuture<HttpResponse<String>> waits =
          HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString());
      while (stopping.waiting() == 0) {
        Thread.sleep(5);
      }
      stopping.stop();
      other.close();
      answer = waits.get(10, TimeUnit.SECONDS);
    }
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
    assertThat(JSON.readTree(answer.body()).at("/error/code").asText()).isEqualTo("stopping");
    String id = answer.headers().firstValue("X-Job-Id").orElseThrow();
    assertThat(awaited(id)).contains("Rachel");
  }

  @Test
  void requestThatWaitedTooLongIsNotRepeatedByItselfButMayBeSentAgainWithItsId() throws Exception {
    byte[] audio = Files.readAllBytes(LONG);
    String id = JobIds.next();
    GatewayConfig c = config(1);
    GatewayConfig impatient =
        new GatewayConfig(
            c.apiKeys(), c.maxBodyBytes(), c.inlineBytes(), 1, Duration.ofMillis(1), c.claimTtl());
    try (GatewayRoutes hasty = new GatewayRoutes(impatient, claims(), Languages::name);
        GatewayServer other = new GatewayServer("127.0.0.1", 0, h -> true, hasty)) {
      hasty.open(fleet.target());
      for (int i = 0; i < 2; i++) {
        HttpRequest.Builder request =
            request(other, "/v1/audio/transcriptions").header("X-Job-Id", id);
        HttpResponse<String> answer =
            send(Multipart.form(request, audio, "model", "whisper-1").build());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
        assertThat(answer.headers().firstValue("x-should-retry")).contains("false");
      }
    }
    assertThat(awaited(id)).contains("Rachel");
  }

  /** The text of a job, as soon as it is done. */
  private static String awaited(String id) throws Exception {
    HttpResponse<String> found = send(request(server, "/v1/jobs/" + id).build());
    for (int i = 0; found.statusCode() == 404 && i < 240; i++) {
      Thread.sleep(250);
      found = send(request(server, "/v1/jobs/" + id).build());
    }
    assertThat(found.statusCode()).as(found.body()).isEqualTo(200);
    return JSON.readTree(found.body()).get("text").asText();
  }

  @Test
  void moreThanCanWaitIsAskedToComeBackLater() throws Exception {
    byte[] audio = Files.readAllBytes(LONG);
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      answers.add(
          HTTP.sendAsync(
              post("/v1/audio/transcriptions", audio, "model", "whisper-1", "language", "en"),
              HttpResponse.BodyHandlers.ofString()));
    }
    List<Integer> codes = new ArrayList<>();
    for (CompletableFuture<HttpResponse<String>> future : answers) {
      HttpResponse<String> answer = future.join();
      codes.add(answer.statusCode());
      if (answer.statusCode() == 429) {
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertThat(answer.body()).contains("rate_limit_exceeded");
      }
    }
    assertThat(codes).contains(200, 429).containsOnly(200, 429);
    assertThat(routes.waiting()).isZero();
  }

  @Test
  void badRequestsSayWhatIsWrongInOpenAisForm() throws Exception {
    HttpResponse<String> noise = transcribe("not audio".getBytes(StandardCharsets.UTF_8));
    assertThat(noise.statusCode()).isEqualTo(400);
    assertThat(JSON.readTree(noise.body()).at("/error/code").asText())
        .isEqualTo("audio_unreadable");
    assertThat(transcribe(new byte[4 << 20]).statusCode()).isEqualTo(413);
    HttpRequest stranger =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/v1/models"))
            .build();
    assertThat(send(stranger).statusCode()).isEqualTo(401);
    assertThat(send(request(server, "/v1/models").build()).body()).contains("whisper-1");
  }
}
