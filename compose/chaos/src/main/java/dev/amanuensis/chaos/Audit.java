package dev.amanuensis.chaos;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads what anybody sees (read_committed) of results and dead letters while the run goes on. Safe
 * for use by the run's thread while its own reads.
 */
final class Audit implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  private final ChaosCluster cluster;
  private final Thread thread = new Thread(this::run, "audit");

  /** Guarded by this. Results by job id. */
  private final Map<String, List<Seen>> results = new HashMap<>();

  private final Map<String, Integer> letters = new TreeMap<>();
  private final List<Arrival> arrivals = new ArrayList<>();
  private int undecodable;
  private int later;
  private volatile boolean closed;
  private volatile Exception failure;

  /** A result as it became visible. */
  record Seen(String status, String worker, String text) {}

  /** When a result became visible, by System.nanoTime. */
  record Arrival(long nanos, String jobId) {}

  Audit(ChaosCluster cluster) {
    this.cluster = cluster;
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", cluster.bootstrapServers());
    config.put("isolation.level", "read_committed");
    config.put(AvroSerdes.REGISTRY_URL, cluster.registryUrl());
    try (Consumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Deserializer<Transcript> transcripts = AvroSerdes.deserializer(Transcript.class, config);
        Deserializer<DeadLetter> dead = AvroSerdes.deserializer(DeadLetter.class, config)) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : List.of(Topics.TRANSCRIPTS, Topics.DLQ)) {
        consumer
            .partitionsFor(topic)
            .forEach(p -> partitions.add(new TopicPartition(topic, p.partition())));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!closed) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        for (ConsumerRecord<byte[], byte[]> record : records) {
          if (record.topic().equals(Topics.TRANSCRIPTS)) {
            result(patiently(transcripts, record));
          } else {
            letter(patiently(dead, record));
          }
        }
      }
    } catch (KafkaException | InterruptedException e) {
      failure = e;
    }
  }

  /** The registry may be cut off just when a schema is met for the first time. */
  private <T> T patiently(Deserializer<T> deserializer, ConsumerRecord<byte[], byte[]> record)
      throws InterruptedException {
    while (true) {
      try {
        return deserializer.deserialize(record.topic(), record.value());
      } catch (dev.amanuensis.schema.serde.RegistryFailure e) {
        Thread.sleep(200);
      }
    }
  }

  private synchronized void result(Transcript t) {
    long now = System.nanoTime();
    String status =
        t.getErrorCode() == null ? t.getStatus().name() : t.getStatus() + " " + t.getErrorCode();
    results
        .computeIfAbsent(t.getJobId(), id -> new ArrayList<>())
        .add(new Seen(status, t.getWorker(), t.getText()));
    arrivals.add(new Arrival(now, t.getJobId()));
    if (t.getAttempt() > 1) {
      later++;
    }
  }

  private synchronized void letter(DeadLetter d) {
    if (d.getJobId() == null) {
      undecodable++;
    } else {
      letters.merge(d.getJobId(), 1, Integer::sum);
    }
  }

  /** What stopped the reading, or null. */
  Exception failure() {
    return failure;
  }

  /** Jobs with a result. */
  synchronized int answered() {
    return results.size();
  }

  synchronized Map<String, List<Seen>> results() {
    return Map.copyOf(results);
  }

  /** Dead letters by job id. */
  synchronized Map<String, Integer> letters() {
    return new TreeMap<>(letters);
  }

  /** Dead letters of records that were no jobs. */
  synchronized int undecodable() {
    return undecodable;
  }

  /** Results of a second or later attempt. */
  synchronized int laterAttempts() {
    return later;
  }

  /** When results became visible, in order. */
  synchronized List<Arrival> arrivals() {
    return List.copyOf(arrivals);
  }

  /** When the last result became visible, or 0. */
  synchronized long lastArrival() {
    return arrivals.isEmpty() ? 0 : arrivals.get(arrivals.size() - 1).nanos();
  }

  @Override
  public void close() {
    closed = true;
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
