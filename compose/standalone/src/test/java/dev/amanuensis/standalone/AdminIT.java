package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.metrics.Meters;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a running worker with real jobs tells of itself. */
class AdminIT {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String GOOD = "job \"<b>1</b>\"";
  private static final String BROKEN = "broken";

  @TempDir static Path data;
  private static Fleet fleet;
  private static String base;
  private static int answerBeforeReady;
  private static final Map<String, Transcript> RESULTS = new HashMap<>();

  @BeforeAll
  static void start() throws Exception {
    fleet = Fleet.start(new Fleet.Plan(data, 0, 0, Map.of(Setting.ADMIN_PORT.key(), "0")));
    base = fleet.adminUrl().orElseThrow();
    answerBeforeReady = get("health/ready").statusCode();
    while (fleet.starting() != null) {
      fleet.check();
      Thread.sleep(20);
    }
    submit();
    await();
  }

  @AfterAll
  static void stop() {
    if (fleet != null) {
      fleet.close();
    }
  }

  private static Map<String, Object> clients(KafkaTarget target) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", target.bootstrapServers());
    config.put(AvroSerdes.REGISTRY_URL, target.registryUrl());
    return config;
  }

  private static void submit() throws Exception {
    KafkaTarget target = fleet.target();
    Map<String, Object> config = clients(target);
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        var serializer = AvroSerdes.<AudioJob>serializer(config)) {
      for (String id : List.of(GOOD, BROKEN)) {
        byte[] audio =
            id.equals(GOOD) ? Files.readAllBytes(Commands.JFK) : "no audio at all".getBytes();
        AudioJob job =
            AudioJob.newBuilder()
                .setJobId(id)
                .setAudio(ByteBuffer.wrap(audio))
                .setWordTimestamps(true)
                .setTemperatures(List.of(0f))
                .setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
                .build();
        ProducerRecord<byte[], byte[]> record =
            new ProducerRecord<>(target.jobsTopic(), serializer.serialize(target.jobsTopic(), job));
        record.headers().add("traceparent", ("00-" + TRACE + "-00f067aa0ba902b7-01").getBytes());
        producer.send(record).get();
      }
      producer.send(new ProducerRecord<>(target.jobsTopic(), "not avro".getBytes())).get();
    }
  }

  private static void await() throws Exception {
    KafkaTarget target = fleet.target();
    Map<String, Object> config = clients(target);
    config.put("group.id", "admin-it");
    config.put("auto.offset.reset", "earliest");
    config.put("isolation.level", "read_committed");
    Instant end = Instant.now().plusSeconds(600);
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        var deserializer = AvroSerdes.deserializer(Transcript.class, config)) {
      consumer.subscribe(List.of(target.transcriptsTopic()));
      while (RESULTS.size() < 2) {
        assertThat(Instant.now()).as("results so far: %s", RESULTS).isBefore(end);
        for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
          Transcript t = deserializer.deserialize(r.topic(), r.value());
          RESULTS.put(t.getJobId(), t);
        }
      }
    }
    // The meters of the transaction follow its commit.
    while (sample(get("metrics").body(), "amanuensis_transactions_total{outcome=\"committed\"}")
        < 1) {
      assertThat(Instant.now()).isBefore(end);
      Thread.sleep(50);
    }
  }

  private static HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HttpClient.newHttpClient()
        .send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
  }

  private static JsonNode json(String path) throws Exception {
    HttpResponse<String> response = get(path);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return new ObjectMapper().readTree(response.body());
  }

  /** NaN if there is no such sample. */
  private static double sample(String text, String nameAndLabels) {
    return text.lines()
        .filter(l -> l.startsWith(nameAndLabels + " "))
        .mapToDouble(l -> Double.parseDouble(l.substring(nameAndLabels.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  @Test
  void itIsReadyOnlyWithTheModelAndTheGroup() throws Exception {
    assertThat(answerBeforeReady).isEqualTo(503);
    JsonNode ready = json("health/ready");
    assertThat(ready.path("status").asText()).isEqualTo("up");
    assertThat(ready.path("checks").findValuesAsText("name"))
        .containsExactly("model", "device", "kafka", "group");
  }

  @Test
  void buffersAreBackWhenTheJobsAreDone() throws Exception {
    JsonNode pools = json("health").path("buffer_pools");
    assertThat(pools.fieldNames()).toIterable().contains("mel", "audio", "encoder", "cross_kv");
    for (String pool : List.of("mel", "encoder", "cross_kv")) {
      assertThat(pools.at("/" + pool + "/acquired").asLong()).as(pool).isPositive();
    }
    pools.forEach(
        p -> {
          assertThat(p.path("in_use").asInt()).isZero();
          assertThat(p.path("leaks").asInt()).isZero();
        });
  }

  @Test
  void statisticsFollowTheJobs() throws Exception {
    JsonNode stats = json("pipeline/stats");
    assertThat(stats.at("/finished/completed").asInt()).isEqualTo(1);
    assertThat(stats.at("/finished/failed").asInt()).isEqualTo(1);
    assertThat(stats.path("in_flight").asInt()).isZero();
    assertThat(stats.path("windows").asInt()).isPositive();
    assertThat(stats.at("/stages/encode/p50_ms").asDouble()).isPositive();
    assertThat(stats.at("/stages/decode/count").asInt()).isPositive();
    assertThat(stats.at("/device/duty").asDouble()).isPositive();
    assertThat(stats.path("recent").findValuesAsText("id")).containsExactlyInAnyOrder(GOOD, BROKEN);
  }

  @Test
  void eachEventMovedItsMeter() throws Exception {
    String text = get("metrics").body();
    String jobs = fleet.target().jobsTopic();
    Map<String, Double> expected = new HashMap<>();
    expected.put("amanuensis_jobs_admitted_total{lane=\"" + jobs + "\"}", 2.0);
    expected.put("amanuensis_jobs_finished_total{status=\"completed\"}", 1.0);
    expected.put("amanuensis_jobs_finished_total{status=\"failed\"}", 1.0);
    expected.put("amanuensis_jobs_failures_total{code=\"AUDIO_UNREADABLE\"}", 1.0);
    expected.put("amanuensis_dead_letters_total{reason=\"UNDECODABLE\"}", 1.0);
    expected.put("amanuensis_job_duration_seconds_count{status=\"completed\"}", 1.0);
    expected.put("amanuensis_jobs_in_flight", 0.0);
    expected.put("amanuensis_audio_seconds_total", 11.0);
    expected.put("amanuensis_windows_total", 1.0);
    expected.put("amanuensis_ready", 1.0);
    expected.forEach((name, value) -> assertThat(sample(text, name)).as(name).isEqualTo(value));
    for (String name :
        List.of(
            "amanuensis_stage_duration_seconds_count{stage=\"prepare\"}",
            "amanuensis_stage_duration_seconds_count{stage=\"encode\"}",
            "amanuensis_stage_duration_seconds_count{stage=\"decode\"}",
            "amanuensis_stage_duration_seconds_count{stage=\"align\"}",
            "amanuensis_stage_duration_seconds_count{stage=\"publish\"}",
            "amanuensis_queue_wait_seconds_count{stage=\"encode\"}",
            "amanuensis_decode_batch_count",
            "amanuensis_decode_rows_total",
            "amanuensis_pool_acquired_total{pool=\"mel\"}",
            "amanuensis_kafka_partitions",
            "amanuensis_process_memory_bytes",
            "jvm_threads_live_threads")) {
      assertThat(sample(text, name)).as(name).isPositive();
    }
    assertThat(text).contains("kafka_consumer_").contains("kafka_producer_");
  }

  @Test
  void whatIsServedIsWhatTheCatalogueHas() throws Exception {
    Set<String> served = new TreeSet<>();
    Matcher m =
        Pattern.compile("^# TYPE (amanuensis_\\w+) ", Pattern.MULTILINE)
            .matcher(get("metrics").body());
    while (m.find()) {
      served.add(m.group(1).replaceFirst("_max$", ""));
    }
    List<String> catalogue = new ArrayList<>();
    for (Meters meter : Meters.values()) {
      catalogue.add(meter.exposed().replaceFirst("_max$", ""));
    }
    assertThat(served).isSubsetOf(catalogue);
    assertThat(served).containsAll(catalogue);
  }

  @Test
  void everyPanelHasData() throws Exception {
    Assumptions.assumeTrue(
        Prometheus.isInstalled(), "no prometheus on the PATH (Debian: apt install prometheus)");
    try (Prometheus prometheus =
        Prometheus.scraping(URI.create(base), data.resolve("prometheus"))) {
      prometheus.awaitScrapes(3);
      List<String> empty = new ArrayList<>();
      for (String query : Prometheus.queriesOf(Path.of("../grafana/dashboards"))) {
        if (prometheus.query(query).isEmpty()) {
          empty.add(query);
        }
      }
      assertThat(empty).as("queries without data").isEmpty();
    }
  }

  @Test
  void theFleetIsReadFromKafka() throws Exception {
    Instant end = Instant.now().plusSeconds(300);
    // The first heartbeat is older than the group.
    while (get("fleet").statusCode() != 200 || !json("fleet").at("/workers/0/ready").asBoolean()) {
      assertThat(Instant.now()).as(get("fleet").body()).isBefore(end);
      Thread.sleep(200);
    }
    JsonNode fleet = json("fleet");
    assertThat(fleet.path("group_state").asText()).isEqualTo("STABLE");
    assertThat(fleet.path("members").asInt()).isEqualTo(1);
    assertThat(fleet.path("dead_letters").asInt()).isPositive();
    JsonNode worker = fleet.path("workers").get(0);
    assertThat(worker.path("worker").asText()).isEqualTo("standalone");
    assertThat(worker.path("state").asText()).isEqualTo("ready");
    assertThat(worker.path("partitions").asInt()).isPositive();
    assertThat(worker.path("admin_url").asText()).isEqualTo(base);
    Commands.Result top =
        Commands.run(
            "top",
            "--once",
            "-b",
            fleet().target().bootstrapServers(),
            "--schema-registry",
            fleet().target().registryUrl());
    assertThat(top.code()).as(top.err()).isZero();
    assertThat(top.out())
        .contains("group amanuensis stable, 1 members   backlog 0")
        .containsPattern("audio-jobs +4 +0")
        .containsPattern("standalone +ready +12 +0 +0/32");
  }

  private static Fleet fleet() {
    return fleet;
  }

  @Test
  void theTraceReachesTranscriptJobAndExemplar() throws Exception {
    assertThat(RESULTS.get(GOOD).getTraceId()).isEqualTo(TRACE);
    assertThat(RESULTS.get(BROKEN).getTraceId()).isEqualTo(TRACE);
    JsonNode job = json("jobs/job%20%22%3Cb%3E1%3C%2Fb%3E%22");
    assertThat(job.path("id").asText()).isEqualTo(GOOD);
    assertThat(job.path("trace_id").asText()).isEqualTo(TRACE);
    assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
    assertThat(job.at("/timings/encode").asDouble()).isPositive();
    assertThat(get("metrics", "Accept", "application/openmetrics-text").body())
        .contains("# {job_id=\"job \\\"<b>1</b>\\\"\",trace_id=\"" + TRACE + "\"}");
    assertThat(get("jobs/never-seen").statusCode()).isEqualTo(404);
  }
}
