package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.Action;
import dev.amanuensis.schema.JobControl;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.publish.Refusal;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all of the control topic, on a thread of its own and without a group, so that no rebalance
 * and no back-pressure delays a cancellation. Safe for use by the loop thread.
 */
final class Cancellations implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Cancellations.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final long RETRY_MILLIS = 1_000;

  /** Before a topic is asked for again that is missing or refused. */
  private static final long MISSING_MILLIS = 10_000;

  private static final Duration DEFAULT_LIFE = Duration.ofDays(7);

  /** An order, in force for records written before it until it expires. */
  private record Order(long writtenAt, long expiresAt, String reason) {}

  private final String topic;
  private final Map<String, Object> consumerConfig;
  private final Deserializer<JobControl> deserializer;
  private final Map<String, Order> orders = new ConcurrentHashMap<>();
  private final Queue<String> news = new ConcurrentLinkedQueue<>();
  private final Thread thread = new Thread(this::run, "control");
  private volatile boolean caughtUp;
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile boolean closed;
  private volatile Consumer<byte[], byte[]> current;

  /**
   * @param consumer settings of the jobs' consumer; the group is left out
   */
  Cancellations(String topic, Map<String, Object> consumer, Map<String, Object> registry) {
    this.topic = topic;
    this.consumerConfig = new HashMap<>(consumer);
    consumerConfig
        .keySet()
        .removeAll(
            List.of(
                ConsumerConfig.GROUP_ID_CONFIG,
                ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                ConsumerConfig.GROUP_REMOTE_ASSIGNOR_CONFIG,
                ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG,
                ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG,
                ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG,
                ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG));
    consumerConfig.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    consumerConfig.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    consumerConfig.put(
        ConsumerConfig.CLIENT_ID_CONFIG,
        consumer.getOrDefault(ConsumerConfig.CLIENT_ID_CONFIG, "amanuensis") + "-control");
    this.deserializer = AvroSerdes.deserializer(JobControl.class, registry);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Whether everything was read that was there at the start; before that no job is taken. */
  boolean caughtUp() {
    return caughtUp;
  }

  /** The reason why a record is cancelled, never null; null: it is not. */
  String cancelled(String jobId, long recordTimestamp) {
    Order order = orders.get(jobId);
    if (order == null
        || recordTimestamp > order.writtenAt()
        || System.currentTimeMillis() >= order.expiresAt()) {
      return null;
    }
    return order.reason();
  }

  /** The next job id that was cancelled since the last call, or null. */
  String poll() {
    return news.poll();
  }

  private void run() {
    while (!closed) {
      try (Consumer<byte[], byte[]> consumer =
          new KafkaConsumer<>(
              consumerConfig, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
        current = consumer;
        read(consumer);
      } catch (WakeupException e) {
        return;
      } catch (KafkaException e) {
        LOG.warn(
            "the control topic can't be read: {}; trying again",
            Refusal.explain(e, AclOperation.READ));
        if (!pause(Refusal.in(e) == null ? RETRY_MILLIS : MISSING_MILLIS)) {
          return;
        }
      }
    }
  }

  private void read(Consumer<byte[], byte[]> consumer) {
    List<TopicPartition> partitions = List.of();
    while (partitions.isEmpty()) {
      partitions =
          consumer.partitionsFor(topic).stream()
              .map(p -> new TopicPartition(p.topic(), p.partition()))
              .toList();
      if (partitions.isEmpty()) {
        LOG.warn("there is no topic {}: jobs can't be cancelled until it is created", topic);
        caughtUp = true;
        if (!pause(MISSING_MILLIS)) {
          return;
        }
      }
    }
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    while (!closed) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        take(record);
      }
      if (!caughtUp) {
        caughtUp =
            ends.entrySet().stream().allMatch(e -> consumer.position(e.getKey()) >= e.getValue());
      }
      orders.values().removeIf(o -> System.currentTimeMillis() >= o.expiresAt());
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record) {
    JobControl control = decode(record);
    if (control == null || control.getAction() != Action.CANCEL || control.getJobId().isBlank()) {
      return;
    }
    long expires = control.getExpiresAt().toEpochMilli();
    if (expires <= 0) {
      expires = record.timestamp() + DEFAULT_LIFE.toMillis();
    }
    if (System.currentTimeMillis() < expires) {
      String reason =
          control.getReason() == null ? "cancelled" : "cancelled: " + control.getReason();
      orders.put(control.getJobId(), new Order(record.timestamp(), expires, reason));
      news.add(control.getJobId());
    }
  }

  /** Null for what is no order; waits for the registry. */
  private JobControl decode(ConsumerRecord<byte[], byte[]> record) {
    while (!closed) {
      try {
        return deserializer.deserialize(record.topic(), record.value());
      } catch (RegistryFailure e) {
        LOG.warn("{}; cancellations wait", e.getMessage());
        if (!pause(RETRY_MILLIS)) {
          return null;
        }
      } catch (RuntimeException e) {
        LOG.warn("{}@{} is no order: {}", record.topic(), record.offset(), e.getMessage());
        return null;
      }
    }
    return null;
  }

  private boolean pause(long millis) {
    try {
      return !closing.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Override
  public void close() {
    closed = true;
    closing.countDown();
    Consumer<byte[], byte[]> consumer = current;
    if (consumer != null) {
      consumer.wakeup();
    }
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    deserializer.close();
  }
}
