package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.broker.EmbeddedBroker;
import dev.amanuensis.broker.RegistryServer;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.PartialReader;
import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.standalone.Commands.Result;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The operators' commands against a real broker and registry; no worker takes part. */
class OperatorCommandsIT {
  @TempDir static Path data;
  private static EmbeddedBroker broker;
  private static RegistryServer registry;

  @BeforeAll
  static void start() throws Exception {
    broker = new EmbeddedBroker(data.resolve("kafka"), 0);
    registry = new RegistryServer(data.resolve("registry"), 0);
    broker.start();
    registry.start();
    assertThat(run("topics create --partitions 2").code()).isEqualTo(ExitCodes.OK);
  }

  @AfterAll
  static void stop() {
    broker.close();
    registry.close();
  }

  private static Result run(String command, Object... more) {
    List<Object> words = new ArrayList<>(List.of(command.split(" ")));
    words.addAll(List.of(more));
    words.addAll(List.of("-b", broker.bootstrapServers()));
    words.addAll(List.of("--schema-registry", registry.url()));
    return Commands.run(words.toArray());
  }

  private static <T extends SpecificRecord> void put(String topic, String key, T value)
      throws Exception {
    Map<String, Object> c =
        Map.of(
            "bootstrap.servers",
            broker.bootstrapServers(),
            AvroSerdes.REGISTRY_URL,
            registry.url());
    try (Serializer<T> serializer = AvroSerdes.serializer(c)) {
      putBytes(topic, key, serializer.serialize(topic, value));
    }
  }

  private static void putBytes(String topic, String key, byte[] value) throws Exception {
    Map<String, Object> c = Map.of("bootstrap.servers", broker.bootstrapServers());
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(c, new StringSerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(topic, key, value)).get();
    }
  }

  private static List<ConsumerRecord<String, byte[]>> records(String topic, int atLeast) {
    Map<String, Object> c =
        Map.of(
            "bootstrap.servers",
            broker.bootstrapServers(),
            "group.id",
            "test-" + System.nanoTime(),
            "isolation.level",
            "read_committed",
            "auto.offset.reset",
            "earliest");
    List<ConsumerRecord<String, byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(c, new StringDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(topic));
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (all.size() < atLeast && System.nanoTime() < end) {
        consumer.poll(Duration.ofMillis(200)).forEach(all::add);
      }
    }
    return all;
  }

  private static DeadLetter letter(String job, String reason, byte[] value, int size) {
    DeadLetter letter = new DeadLetter();
    letter.setJobId(job);
    letter.setReason(reason);
    letter.setMessage("it did\nnot work");
    letter.setTopic(Topics.JOBS_BULK);
    letter.setKey(ByteBuffer.wrap(job.getBytes(StandardCharsets.UTF_8)));
    letter.setValue(ByteBuffer.wrap(value));
    letter.setValueSize(size);
    letter.setHeaders(Map.of("tenant", ByteBuffer.wrap(new byte[] {'x'})));
    letter.setWorker("w");
    letter.setAttempts(3);
    letter.setFailedAt(Instant.ofEpochMilli(1_000));
    letter.setRecordTimestamp(Instant.ofEpochMilli(500));
    return letter;
  }

  @Test
  void registryThatIsStartingIsWaitedFor() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    try (RegistryServer late = new RegistryServer(data.resolve("late"), port)) {
      Thread starter =
          new Thread(
              () -> {
                try {
                  Thread.sleep(1500);
                  late.start();
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      starter.start();
      ConnectionCheck.run(
          KafkaTarget.of(broker.bootstrapServers(), "http://localhost:" + port),
          Duration.ofSeconds(30));
      starter.join();
    }
  }

  @Test
  void topicsAreCreatedOnceAndThenCompared() {
    Result again = run("topics create --partitions 2 --format json");
    assertThat(again.code()).isEqualTo(ExitCodes.OK);
    assertThat(again.out().lines().toList())
        .hasSize(Topics.all().size())
        .allSatisfy(line -> assertThat(line).contains("\"state\":\"EXISTS\""));
    Result more = run("topics create --partitions 3 --dry-run");
    assertThat(more.out())
        .contains("differs   audio-jobs.interactive")
        .contains("partitions 2, recommended 3")
        .contains("exists    audio-jobs.control");
    Result copies = run("topics create --partitions 2 --replication-factor 3 --dry-run");
    assertThat(copies.out())
        .contains("replication factor 1, recommended 3")
        .doesNotContain("min.insync.replicas 1, recommended 2"); // the one copy would be too few
  }

  @Test
  void topicsAreNotCreatedBeforeTheBrokersAreThere() {
    Result alone = run("topics create --brokers 2 --connect-timeout 1");
    assertThat(alone.code()).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(alone.err()).contains("1 of 2 brokers after 1 s");
  }

  @Test
  void connectionCheckNamesTheTopicsThatAreMissing() {
    KafkaTarget target = KafkaTarget.of(broker.bootstrapServers(), registry.url());
    assertThatThrownBy(
            () ->
                ConnectionCheck.run(
                    target, List.of(Topics.DLQ, "no-a", "no-b"), Duration.ofSeconds(10)))
        .hasMessageContaining("lacks no-a, no-b")
        .hasMessageContaining("topics create");
  }

  @Test
  void foreignRecordDoesNotEndTheFollowingOfPartials() throws Exception {
    KafkaTarget target = KafkaTarget.of(broker.bootstrapServers(), registry.url());
    try (PartialReader reader = new PartialReader(target, Duration.ofSeconds(10))) {
      putBytes(Topics.PARTIAL, "foreign", "not Avro".getBytes(StandardCharsets.UTF_8));
      put(Topics.PARTIAL, "followed", partial("followed"));
      List<String> seen = new ArrayList<>();
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (!seen.contains("followed") && System.nanoTime() < end) {
        reader.poll(Duration.ofMillis(200)).forEach(n -> seen.add(n.jobId()));
      }
      assertThat(seen).contains("followed");
    }
  }

  private static Partial partial(String id) {
    Segment segment = new Segment();
    segment.setText(" Hello.");
    segment.setTokens(List.of());
    segment.setWords(List.of());
    Partial partial = new Partial();
    partial.setJobId(id);
    partial.setTopic(Topics.JOBS);
    partial.setSegments(List.of(segment));
    partial.setLanguage("en");
    partial.setModelSha256("");
    partial.setProfile("fast");
    partial.setWorker("w1");
    partial.setWrittenAt(Instant.now());
    return partial;
  }

  @Test
  void laneAndDeadlineTravelWithTheJob() throws Exception {
    Path file = Files.write(data.resolve("a.wav"), new byte[] {1, 2, 3});
    Result result =
        run("submit --lane interactive --priority 7 --deadline 10m --format json", file);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.out()).contains("\"file\":\"" + file + "\"", "\"job_id\":\"");
    assertThat(records(Topics.JOBS_INTERACTIVE, 1)).hasSize(1);
  }

  @Test
  void fileThatCanTravelInNoWayIsToldWhatToDo() throws Exception {
    Path file = Files.write(data.resolve("big.wav"), new byte[2000]);
    Result refused = run("submit --max-inline-bytes 1000", file);
    assertThat(refused.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(refused.err()).contains("big.wav").contains("--file-root").contains("--upload");
    Result taken = run("submit --max-inline-bytes 1000 --lane bulk --file-root", data, file);
    assertThat(taken.code()).as(taken.err()).isEqualTo(ExitCodes.OK);
  }

  @Test
  void statusFollowsAJobThroughTheTopics() throws Exception {
    Path file = Files.write(data.resolve("status.wav"), new byte[] {1});
    String id = run("submit", file).out().split("\t")[0];
    assertThat(run("jobs status --format json", id).out()).contains("\"status\":\"SUBMITTED\"");

    Partial partial = partial(id);
    partial.setSeek(3000);
    partial.setContentFrames(6000);
    put(Topics.PARTIAL, id, partial);
    assertThat(run("jobs status --format json", id).out())
        .contains("\"status\":\"RUNNING\"", "\"done_seconds\":30.0", "\"worker\":\"w1\"");

    assertThat(run("cancel --reason wrong", id).code()).isEqualTo(ExitCodes.OK);
    assertThat(run("jobs status --format json", id).out()).contains("\"cancel_requested_at\"");
    assertThat(records(Topics.CONTROL, 1)).extracting(ConsumerRecord::key).contains(id);

    Transcript transcript =
        Transcript.newBuilder()
            .setJobId(id)
            .setStatus(Status.CANCELLED)
            .setErrorCode("CANCELLED")
            .setCompletedAt(Instant.now())
            .build();
    put(Topics.TRANSCRIPTS, id, transcript);
    Result ended = run("jobs status", id);
    assertThat(ended.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(ended.out()).containsPattern("status +CANCELLED");
    assertThat(run("jobs status", "nobody").code()).isEqualTo(ExitCodes.FAILED);
  }

  @Test
  void deadLettersAreListedReplayedOnceAndPurged() throws Exception {
    byte[] value = {0, 1, 2, 3};
    put(Topics.DLQ, "job-1", letter("job-1", "SOURCE_UNAVAILABLE", value, value.length));
    put(Topics.DLQ, "job-2", letter("job-2", "AUDIO_UNREADABLE", value, 9_000_000));
    Result list = run("dlq list");
    assertThat(list.out().lines().toList()).hasSize(2);
    assertThat(list.out()).contains("0:0").contains("3 attempts").contains("it did not work");
    Path copy = data.resolve("value.bin");
    Result shown = run("dlq show job-1 --value", copy);
    assertThat(shown.out()).contains("tenant=x").contains(Topics.JOBS_BULK);
    assertThat(copy).hasBinaryContent(value);
    assertThat(run("dlq show 7:7").code()).isEqualTo(ExitCodes.FAILED);

    assertThat(run("dlq replay 0:1").err()).contains("only a part");
    Path file = Files.write(data.resolve("bulk.wav"), new byte[] {1});
    assertThat(run("submit --lane bulk", file).code()).isEqualTo(ExitCodes.OK);
    int before = records(Topics.JOBS_BULK, 1).size();
    assertThat(run("dlq replay --all --dry-run").out()).contains("0:0").doesNotContain("0:1");
    Result replayed = run("dlq replay 0:0 0:0 job-1");
    assertThat(replayed.code()).as(replayed.err()).isEqualTo(ExitCodes.OK);
    Result rest = run("dlq replay --all");
    assertThat(rest.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(rest.err()).contains("can't replay 0:1: only a part");
    assertThat(run("dlq replay --all").err()).contains("replayed 0; 1 were replayed before");
    assertThat(run("dlq list").out()).contains("replayed");
    List<ConsumerRecord<String, byte[]>> jobs = records(Topics.JOBS_BULK, before + 1);
    assertThat(jobs)
        .anySatisfy(
            record -> {
              assertThat(record.key()).isEqualTo("job-1");
              assertThat(record.value()).isEqualTo(value);
              assertThat(record.headers().lastHeader("tenant").value()).isEqualTo(new byte[] {'x'});
              assertThat(record.headers().lastHeader("amanuensis.replay.of").value())
                  .asString(StandardCharsets.UTF_8)
                  .isEqualTo("audio-jobs.dlq-0:0");
            });
    assertThat(jobs.stream().filter(r -> "job-1".equals(r.key()))).hasSize(1);

    assertThat(run("dlq purge --all").code()).isEqualTo(ExitCodes.USAGE);
    assertThat(run("dlq purge --older-than 30d --yes").out()).contains("partition 0: 0 records");
    assertThat(run("dlq purge --all --dry-run").out()).doesNotContain(": 0 records");
    assertThat(run("dlq list").out()).isNotEmpty();
    assertThat(run("dlq purge --all --yes").code()).isEqualTo(ExitCodes.OK);
    assertThat(run("dlq list").out()).isEmpty();
  }

  /** A terminal obeys what it prints: a name could clear the screen or forge a line. */
  @Test
  void controlCharactersInRecordsOfOthersReachNoTerminal() throws Exception {
    String id = "evil\u001b[2J\r\n0:0";
    String dlq = "dlq-of-others";
    broker.createTopics(Map.of(dlq, 1), Map.of());
    put(dlq, id, letter(id, "SOURCE_UNAVAILABLE", new byte[] {1}, 1));
    putBytes(dlq, id, "no\u001b[2J letter".getBytes(StandardCharsets.UTF_8));
    put(
        Topics.TRANSCRIPTS,
        id,
        Transcript.newBuilder()
            .setJobId(id)
            .setStatus(Status.FAILED)
            .setErrorCode("AUDIO_UNREADABLE")
            .setErrorMessage("\u001b]0;title\u0007")
            .setCompletedAt(Instant.now())
            .build());
    Result list = run("dlq list --dlq-topic", dlq);
    Result shown = run("dlq show --dlq-topic", dlq, id);
    Result replay = run("dlq replay --dry-run --dlq-topic", dlq, id);
    Result status = run("jobs status", id);
    assertThat(List.of(list, shown, replay, status))
        .allSatisfy(
            r -> {
              assertThat(r.out()).contains("evil?[2J");
              assertThat(r.out() + r.err()).doesNotContain("\u001b", "\u0007", "\r", "\n0:0");
            });
    assertThat(list.out().lines()).hasSize(2);
    Result all = run("dlq replay --all --dry-run --dlq-topic", dlq);
    assertThat(all.err()).contains("would replay 1", "can't replay 0:1: it is no dead letter");
  }
}
