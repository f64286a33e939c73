package dev.amanuensis.worker;

import dev.amanuensis.broker.EmbeddedBroker;
import dev.amanuensis.broker.RegistryServer;
import dev.amanuensis.schema.Action;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.JobControl;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.DeliveryLoop;
import dev.amanuensis.worker.intake.Trials;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.WorkerIdentity;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/** A real broker and registry of one test class, with what tests send and read. */
final class TestCluster implements AutoCloseable {
  static final int PARTITIONS = 2;

  private final EmbeddedBroker broker;
  private final Path registryData;
  private RegistryServer registry;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Serializer<AudioJob> jobs;
  private final Serializer<JobControl> controls;

  /** Of this cluster's jobs; each test has its own ids. */
  final String group = "g" + UUID.randomUUID();

  TestCluster(Path data) throws Exception {
    this(data, Map.of());
  }

  /**
   * @param more settings of the broker
   */
  TestCluster(Path data, Map<String, String> more) throws Exception {
    broker = new EmbeddedBroker(Files.createDirectories(data.resolve("kafka")), 0, more);
    registryData = data.resolve("registry");
    registry = new RegistryServer(registryData, 0);
    registry.start();
    broker.start();
    broker.createTopics(Topics.all(), PARTITIONS);
    shortSessions();
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    jobs = AvroSerdes.serializer(registryConfig());
    controls = AvroSerdes.serializer(registryConfig());
  }

  /** A lost worker is noticed after 3 s. */
  private void shortSessions() throws Exception {
    alter(
        ConfigResource.Type.GROUP,
        group,
        set("consumer.session.timeout.ms", 3_000),
        set("consumer.heartbeat.interval.ms", 500),
        set("share.session.timeout.ms", 3_000),
        set("share.heartbeat.interval.ms", 500),
        set("share.record.lock.duration.ms", 4_000));
  }

  private void alter(ConfigResource.Type type, String name, AlterConfigOp... ops) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
      admin
          .incrementalAlterConfigs(Map.of(new ConfigResource(type, name), List.of(ops)))
          .all()
          .get();
    }
  }

  private static AlterConfigOp set(String key, int value) {
    return new AlterConfigOp(
        new ConfigEntry(key, Integer.toString(value)), AlterConfigOp.OpType.SET);
  }

  private Map<String, Object> registryConfig() {
    return new HashMap<>(Map.of(AvroSerdes.REGISTRY_URL, registry.url()));
  }

  /** Settings of a worker here. */
  Map<String, String> settings(String workerId) {
    return new HashMap<>(
        Map.of(
            Setting.BOOTSTRAP_SERVERS.key(),
            broker.bootstrapServers(),
            Setting.SCHEMA_REGISTRY_URL.key(),
            registry.url(),
            Setting.GROUP_ID.key(),
            group,
            Setting.WORKER_ID.key(),
            workerId,
            Setting.MAX_JOBS.key(),
            "8",
            Setting.PARTIAL_INTERVAL_MS.key(),
            "100",
            Setting.RETRY_BACKOFF_MS.key(),
            "50"));
  }

  /** The Kafka side of a worker over a sink, not started. */
  static DeliveryLoop loop(Map<String, String> settings, JobSink sink) {
    return loop(settings, sink, WorkerMetrics.none());
  }

  static DeliveryLoop loop(Map<String, String> settings, JobSink sink, WorkerMetrics metrics) {
    WorkerConfig config = WorkerConfig.of(settings, Map.of());
    String id = config.text(Setting.WORKER_ID);
    WorkerIdentity identity = new WorkerIdentity(id, "none", "sha", "reference", "none");
    return Worker.loop(config, id, identity, sink, Trials.NONE, metrics);
  }

  static AudioJob job(String id, String script) {
    return job(id, script.getBytes(StandardCharsets.UTF_8));
  }

  static AudioJob job(String id, byte[] audio) {
    return AudioJob.newBuilder()
        .setJobId(id)
        .setAudio(ByteBuffer.wrap(audio))
        .setSubmittedAt(Instant.now())
        .build();
  }

  void submit(String topic, AudioJob job) {
    send(topic, job.getJobId(), jobs.serialize(topic, job));
  }

  void submit(String id, String script) {
    submit(Topics.JOBS, job(id, script));
  }

  void send(String topic, String key, byte[] value) {
    byte[] bytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
    producer.send(new ProducerRecord<>(topic, bytes, value));
  }

  void flush() {
    producer.flush();
  }

  void cancel(String id) {
    JobControl control =
        JobControl.newBuilder()
            .setJobId(id)
            .setAction(Action.CANCEL)
            .setRequestedAt(Instant.now())
            .setReason("a test")
            .build();
    send(Topics.CONTROL, id, controls.serialize(Topics.CONTROL, control));
    flush();
  }

  /** Committed transcripts whose id starts so, in the order of each partition. */
  List<Transcript> transcripts(String prefix) {
    return read(Topics.TRANSCRIPTS, Transcript.class, t -> t.getJobId().startsWith(prefix));
  }

  /** What is published of a job that is at work, in order. */
  List<Partial> partials(String id) {
    return read(Topics.PARTIAL, Partial.class, p -> p.getJobId().equals(id));
  }

  List<DeadLetter> deadLetters(Predicate<DeadLetter> which) {
    return read(Topics.DLQ, DeadLetter.class, which);
  }

  private <T extends SpecificRecord> List<T> read(String topic, Class<T> type, Predicate<T> which) {
    Map<String, Object> config =
        Map.of("bootstrap.servers", broker.bootstrapServers(), "isolation.level", "read_committed");
    List<T> found = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Deserializer<T> deserializer = AvroSerdes.deserializer(type, registryConfig())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(p -> new TopicPartition(topic, p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
          T value = deserializer.deserialize(topic, record.value());
          if (value != null && which.test(value)) {
            found.add(value);
          }
        }
      }
    }
    return found;
  }

  /** Waits until so many results are visible. */
  List<Transcript> await(String prefix, int count, Duration limit) throws InterruptedException {
    long until = System.nanoTime() + limit.toNanos();
    List<Transcript> found = transcripts(prefix);
    while (found.size() < count && System.nanoTime() - until < 0) {
      Thread.sleep(200);
      found = transcripts(prefix);
    }
    return found;
  }

  /** Nobody can register or look up a schema for so long. */
  void withoutRegistry(Duration outage) throws Exception {
    int port = URI.create(registry.url()).getPort();
    registry.close();
    Thread.sleep(outage.toMillis());
    registry = new RegistryServer(registryData, port);
    registry.start();
  }

  /** The largest batch that a topic takes. */
  void maxMessageBytes(String topic, int bytes) throws Exception {
    alter(ConfigResource.Type.TOPIC, topic, set("max.message.bytes", bytes));
  }

  /** With "compact" a topic refuses records without a key. */
  void cleanupPolicy(String topic, String policy) throws Exception {
    alter(
        ConfigResource.Type.TOPIC,
        topic,
        new AlterConfigOp(new ConfigEntry("cleanup.policy", policy), AlterConfigOp.OpType.SET));
  }

  void deleteTopic(String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
      admin.deleteTopics(List.of(topic)).all().get();
    }
  }

  /** Those that are missing. */
  void createTopics() throws Exception {
    broker.createTopics(Topics.all(), PARTITIONS);
  }

  /** As if the group had come so far. */
  void committed(String topic, int partition, long offset) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
      admin
          .alterConsumerGroupOffsets(
              group, Map.of(new TopicPartition(topic, partition), new OffsetAndMetadata(offset)))
          .all()
          .get();
    }
  }

  String bootstrapServers() {
    return broker.bootstrapServers();
  }

  @Override
  public void close() {
    producer.close(Duration.ofSeconds(1));
    broker.close();
    registry.close();
  }
}
