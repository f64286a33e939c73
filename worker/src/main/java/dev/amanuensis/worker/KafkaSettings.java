package dev.amanuensis.worker;

import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.IntakeConfig;
import dev.amanuensis.worker.intake.LaneConfig;
import dev.amanuensis.worker.intake.ShareConfig;
import dev.amanuensis.worker.publish.PartialsConfig;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClientConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** From the worker's settings to those of its Kafka clients. */
final class KafkaSettings {
  private static final int TRANSACTION_TIMEOUT_MS = 10_000;

  private final WorkerConfig config;
  private final String workerId;

  KafkaSettings(WorkerConfig config, String workerId) {
    this.config = config;
    this.workerId = workerId;
  }

  private Map<String, Object> common() {
    Map<String, Object> c = new HashMap<>(config.clients());
    c.put("bootstrap.servers", config.text(Setting.BOOTSTRAP_SERVERS));
    c.put("client.id", "amanuensis-" + workerId);
    return c;
  }

  Map<String, Object> registry() {
    Map<String, Object> c = new HashMap<>(config.clients());
    c.put(AvroSerdes.REGISTRY_URL, config.text(Setting.SCHEMA_REGISTRY_URL));
    // The loops try again themselves; standing still meanwhile would cost membership and locks.
    c.putIfAbsent(SchemaRegistryClientConfig.MAX_RETRIES_CONFIG, 0);
    c.putIfAbsent(SchemaRegistryClientConfig.HTTP_CONNECT_TIMEOUT_MS, 2_000);
    c.putIfAbsent(SchemaRegistryClientConfig.HTTP_READ_TIMEOUT_MS, 5_000);
    return c;
  }

  /** Every topic that a worker with these settings reads or writes. */
  static List<String> topics(WorkerConfig config) {
    List<String> topics = new ArrayList<>(config.list(Setting.JOBS_TOPICS));
    topics.add(config.text(Setting.CONTROL_TOPIC));
    topics.add(config.text(Setting.TRANSCRIPTS_TOPIC));
    topics.add(config.text(Setting.DLQ_TOPIC));
    if (!config.text(Setting.DELIVERY_MODE).equals("share")) {
      topics.add(config.text(Setting.PARTIAL_TOPIC));
    }
    if (config.number(Setting.HEARTBEAT_SECONDS) > 0) {
      topics.add(config.text(Setting.WORKERS_TOPIC));
    }
    return List.copyOf(topics);
  }

  IntakeConfig intake() {
    Map<String, Object> c = common();
    c.put(ConsumerConfig.GROUP_ID_CONFIG, config.text(Setting.GROUP_ID));
    c.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, config.text(Setting.GROUP_PROTOCOL));
    c.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    c.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    c.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    c.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 16);
    c.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 16 << 20);
    if (config.text(Setting.GROUP_PROTOCOL).equals("consumer")) {
      // With equal partition counts each worker gets the same partitions of all lanes.
      c.put(ConsumerConfig.GROUP_REMOTE_ASSIGNOR_CONFIG, "range");
    } else {
      c.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, RangeAssignor.class.getName());
    }
    return new IntakeConfig(
        lanes(),
        c,
        registry(),
        config.count(Setting.MAX_JOBS),
        config.number(Setting.MAX_BYTES_IN_FLIGHT),
        config.count(Setting.MAX_ATTEMPTS),
        config.count(Setting.MAX_RETRIES),
        config.millis(Setting.RETRY_BACKOFF_MS),
        config.text(Setting.CONTROL_TOPIC));
  }

  private List<LaneConfig> lanes() {
    List<LaneConfig> lanes = new ArrayList<>();
    for (String topic : config.list(Setting.JOBS_TOPICS)) {
      int place = lanes.size();
      lanes.add(
          new LaneConfig(
              topic,
              Math.toIntExact(config.number(Setting.LANE_RESERVED_JOBS, place)),
              config.number(Setting.LANE_RESERVED_BYTES, place),
              Math.toIntExact(config.number(Setting.LANE_SHARES, place))));
    }
    return lanes;
  }

  /**
   * A share group has no offsets of its members, no assignor and no transactions.
   *
   * @param number of the consumer within the worker
   * @param consumers that the worker has; they divide its job slots
   */
  ShareConfig share(int number, int consumers) {
    IntakeConfig i = intake();
    Map<String, Object> c = common();
    c.put(ConsumerConfig.CLIENT_ID_CONFIG, "amanuensis-" + workerId + "-" + number);
    c.put(ConsumerConfig.GROUP_ID_CONFIG, config.text(Setting.GROUP_ID));
    c.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
    // Else whole batches are locked, and each of them loses an attempt with a worker.
    c.put(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG, "record_limit");
    c.put(
        ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
        Math.max(1, config.count(Setting.MAX_JOBS) / consumers));
    c.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 16 << 20);
    IntakeConfig intake =
        new IntakeConfig(
            i.lanes(),
            c,
            i.registry(),
            i.maxJobs(),
            i.maxBytesInFlight(),
            i.maxAttempts(),
            i.maxRetries(),
            i.retryAfter(),
            i.controlTopic());
    Map<String, Object> producer = producer();
    producer.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    // With more, a second batch may overtake the first where the topic was made a moment ago, and
    // the broker refuses the first one for ever after. It watches over that in transactions only.
    producer.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
    producer.put(ProducerConfig.CLIENT_ID_CONFIG, "amanuensis-" + workerId + "-" + number);
    return new ShareConfig(intake, common(), config.text(Setting.GROUP_ID), producer);
  }

  PartialsConfig partials() {
    Map<String, Object> p = common();
    p.put("client.id", "amanuensis-" + workerId + "-partials");
    p.put(ProducerConfig.ACKS_CONFIG, "1");
    p.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
    p.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 5_000);
    p.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 10_000);
    p.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
    p.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, config.count(Setting.MAX_RECORD_BYTES));
    p.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd");
    p.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    p.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    p.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    Map<String, Object> c = common();
    c.put("client.id", "amanuensis-" + workerId + "-partials");
    c.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    c.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    return new PartialsConfig(
        config.text(Setting.PARTIAL_TOPIC),
        config.millis(Setting.PARTIAL_INTERVAL_MS),
        p,
        c,
        registry());
  }

  /** Nothing may wait for a heartbeat. */
  Map<String, Object> heartbeats() {
    Map<String, Object> c = common();
    c.put("client.id", "amanuensis-" + workerId + "-heartbeat");
    c.put(ProducerConfig.ACKS_CONFIG, "1");
    c.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
    c.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 2_000);
    c.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 2_000);
    c.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 4_000);
    c.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    c.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 1 << 20);
    c.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    c.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    return c;
  }

  /** A stable transactional id per worker slot: a restart aborts what its predecessor left open. */
  Map<String, Object> producer() {
    Map<String, Object> c = common();
    c.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, config.text(Setting.GROUP_ID) + "-" + workerId);
    c.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, TRANSACTION_TIMEOUT_MS);
    c.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, TRANSACTION_TIMEOUT_MS - 1_000);
    c.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
    c.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 20_000);
    c.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, config.count(Setting.MAX_RECORD_BYTES));
    c.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd");
    c.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    c.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    c.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    return c;
  }
}
