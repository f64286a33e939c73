package dev.amanuensis.worker;

import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.IntakeConfig;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
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
    return c;
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
    return new IntakeConfig(
        config.list(Setting.JOBS_TOPICS),
        c,
        registry(),
        config.number(Setting.MAX_BYTES_IN_FLIGHT));
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
