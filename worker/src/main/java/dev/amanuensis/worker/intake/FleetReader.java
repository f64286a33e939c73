package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.Heartbeat;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.intake.FleetSnapshot.LaneRow;
import dev.amanuensis.worker.intake.FleetSnapshot.WorkerRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads how a fleet is: heartbeats, group and committed progress. It joins no group and writes
 * nothing. One thread uses it.
 */
public final class FleetReader implements AutoCloseable {
  private static final Duration REMEMBERED = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(100);

  /**
   * What to read.
   *
   * @param clients configuration of all clients, without serializers
   * @param registry configuration of the deserializer
   * @param lanes topics of jobs
   */
  public record Config(
      Map<String, Object> clients,
      Map<String, Object> registry,
      String group,
      List<String> lanes,
      String workersTopic,
      String dlqTopic,
      Duration timeout) {}

  /** A heartbeat and when it was sent, by the sender's clock. */
  private record Beat(Heartbeat heartbeat, long sentAt) {}

  private final Config config;
  private final Admin admin;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Deserializer<Heartbeat> deserializer;
  private final Map<String, Beat> beats = new TreeMap<>();
  private boolean assigned;

  public FleetReader(Config config) {
    this.config = config;
    Map<String, Object> c = new HashMap<>(config.clients());
    c.put("request.timeout.ms", (int) config.timeout().toMillis());
    c.put("default.api.timeout.ms", (int) config.timeout().toMillis());
    this.admin = Admin.create(c);
    c.put("enable.auto.commit", false);
    c.put("auto.offset.reset", "latest");
    c.put("allow.auto.create.topics", false);
    this.consumer =
        new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    this.deserializer = AvroSerdes.deserializer(Heartbeat.class, config.registry());
  }

  /**
   * The fleet now.
   *
   * @throws KafkaException if Kafka does not answer in time
   */
  public FleetSnapshot read() throws InterruptedException {
    readHeartbeats();
    ConsumerGroupDescription group = group();
    Map<TopicPartition, LaneRow> progress = progress(group != null);
    List<LaneRow> lanes = new ArrayList<>();
    for (String topic : config.lanes()) {
      List<LaneRow> own = progress.values().stream().filter(r -> r.topic().equals(topic)).toList();
      if (!own.isEmpty()) {
        lanes.add(
            new LaneRow(
                topic,
                own.size(),
                own.stream().mapToLong(LaneRow::lag).sum(),
                own.stream().mapToLong(LaneRow::backlog).sum(),
                own.stream().mapToLong(LaneRow::started).sum()));
      }
    }
    return new FleetSnapshot(
        config.group(),
        group == null ? "NONE" : group.groupState().name(),
        group == null ? 0 : group.members().size(),
        lanes,
        deadLetters(),
        workers(group, progress));
  }

  private void readHeartbeats() {
    if (!assigned) {
      List<TopicPartition> all = partitions(List.of(config.workersTopic())).stream().toList();
      if (all.isEmpty()) {
        return;
      }
      consumer.assign(all);
      long since = System.currentTimeMillis() - REMEMBERED.toMillis();
      Map<TopicPartition, Long> times = new HashMap<>();
      all.forEach(p -> times.put(p, since));
      Map<TopicPartition, OffsetAndTimestamp> from = consumer.offsetsForTimes(times);
      for (TopicPartition p : all) {
        OffsetAndTimestamp o = from.get(p);
        if (o == null) {
          consumer.seekToEnd(List.of(p));
        } else {
          consumer.seek(p, o.offset());
        }
      }
      assigned = true;
    }
    ConsumerRecords<byte[], byte[]> records;
    do {
      records = consumer.poll(POLL);
      for (ConsumerRecord<byte[], byte[]> r : records) {
        try {
          Heartbeat beat = deserializer.deserialize(r.topic(), r.value());
          if (beat.getGroup().equals(config.group())) {
            beats.put(beat.getWorker(), new Beat(beat, r.timestamp()));
          }
        } catch (RuntimeException e) {
          // A record of someone else's.
        }
      }
    } while (!records.isEmpty());
    long since = System.currentTimeMillis() - REMEMBERED.toMillis();
    beats.values().removeIf(b -> b.sentAt() < since);
  }

  /** Null if there is none. */
  private ConsumerGroupDescription group() throws InterruptedException {
    try {
      return get(
          admin
              .describeConsumerGroups(List.of(config.group()))
              .describedGroups()
              .get(config.group()));
    } catch (GroupIdNotFoundException e) {
      return null;
    }
  }

  private List<TopicPartition> partitions(List<String> topics) {
    List<TopicPartition> all = new ArrayList<>();
    for (String topic : topics) {
      try {
        TopicDescription d = get(admin.describeTopics(List.of(topic)).topicNameValues().get(topic));
        d.partitions().forEach(p -> all.add(new TopicPartition(topic, p.partition())));
      } catch (UnknownTopicOrPartitionException e) {
        // A lane that this cluster does not have.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new KafkaException(e);
      }
    }
    return all;
  }

  private Map<TopicPartition, LaneRow> progress(boolean group) throws InterruptedException {
    List<TopicPartition> all = partitions(config.lanes());
    Map<TopicPartition, OffsetAndMetadata> committed =
        group
            ? get(admin.listConsumerGroupOffsets(config.group()).partitionsToOffsetAndMetadata())
            : Map.of();
    Map<TopicPartition, Long> begin = offsets(all, OffsetSpec.earliest());
    Map<TopicPartition, Long> end = offsets(all, OffsetSpec.latest());
    Map<TopicPartition, LaneRow> rows = new HashMap<>();
    for (TopicPartition p : all) {
      OffsetAndMetadata c = committed.get(p);
      // Where retention has passed the base, what is gone is not waiting.
      long base = Math.max(begin.get(p), c == null ? 0 : c.offset());
      long lag = Math.max(0, end.get(p) - base);
      OffsetMetadata metadata =
          c == null || c.offset() < base
              ? OffsetMetadata.EMPTY
              : OffsetMetadata.decode(c.metadata());
      long backlog = Math.max(0, lag - metadata.done().cardinality());
      rows.put(p, new LaneRow(p.topic(), 1, lag, backlog, metadata.marks().size()));
    }
    return rows;
  }

  private Map<TopicPartition, Long> offsets(List<TopicPartition> all, OffsetSpec spec)
      throws InterruptedException {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    all.forEach(p -> asked.put(p, spec));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (Map.Entry<TopicPartition, ListOffsetsResultInfo> e :
        get(admin.listOffsets(asked).all()).entrySet()) {
      offsets.put(e.getKey(), e.getValue().offset());
    }
    return offsets;
  }

  private long deadLetters() throws InterruptedException {
    List<TopicPartition> all = partitions(List.of(config.dlqTopic()));
    Map<TopicPartition, Long> begin = offsets(all, OffsetSpec.earliest());
    return offsets(all, OffsetSpec.latest()).entrySet().stream()
        .mapToLong(e -> e.getValue() - begin.get(e.getKey()))
        .sum();
  }

  private List<WorkerRow> workers(
      ConsumerGroupDescription group, Map<TopicPartition, LaneRow> progress) {
    Map<String, List<TopicPartition>> held = new HashMap<>();
    if (group != null) {
      for (MemberDescription m : group.members()) {
        held.put(m.clientId(), List.copyOf(m.assignment().topicPartitions()));
      }
    }
    Instant now = Instant.now();
    List<WorkerRow> rows = new ArrayList<>();
    for (Beat b : beats.values()) {
      List<TopicPartition> own =
          held.getOrDefault("amanuensis-" + b.heartbeat().getWorker(), List.of());
      long backlog =
          own.stream()
              .map(progress::get)
              .filter(java.util.Objects::nonNull)
              .mapToLong(LaneRow::backlog)
              .sum();
      rows.add(
          row(
              b.heartbeat(),
              Duration.between(Instant.ofEpochMilli(b.sentAt()), now),
              own.size(),
              backlog));
    }
    rows.sort(Comparator.comparing(WorkerRow::worker));
    return rows;
  }

  private static WorkerRow row(Heartbeat h, Duration age, int partitions, long backlog) {
    return new WorkerRow(
        h.getWorker(),
        h.getState(),
        h.getReady(),
        Math.max(0, age.toMillis() / 1000.0),
        h.getModel(),
        h.getProfile(),
        h.getDevice(),
        h.getAdminUrl(),
        h.getInFlight(),
        h.getMaxJobs(),
        h.getJobsPerSecond(),
        h.getWindowsPerSecond(),
        h.getAudioPerSecond(),
        h.getDuty(),
        h.getCompleted(),
        h.getFailed(),
        h.getBuffersInUse(),
        h.getBufferBytes(),
        h.getLeaks(),
        h.getMemoryBytes(),
        partitions,
        backlog);
  }

  private <T> T get(org.apache.kafka.common.KafkaFuture<T> future) throws InterruptedException {
    try {
      return future.get(config.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new KafkaException(e.getCause());
    } catch (TimeoutException e) {
      throw new org.apache.kafka.common.errors.TimeoutException(
          "no answer within " + config.timeout(), e);
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ofSeconds(1));
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(1)));
    deserializer.close();
  }
}
