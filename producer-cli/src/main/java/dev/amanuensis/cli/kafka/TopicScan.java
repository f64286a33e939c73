package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;

/** Reads what is in topics now, from some time on to their present end, and then stops. */
final class TopicScan implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);

  private final KafkaTarget target;
  private final Duration timeout;
  private final Consumer<String, byte[]> consumer;

  /** Takes one record. */
  interface Visitor {
    void visit(ConsumerRecord<String, byte[]> record) throws CliException;
  }

  TopicScan(KafkaTarget target, Duration timeout) throws CliException {
    this.target = target;
    this.timeout = timeout;
    this.consumer = Clients.consumer(target, timeout);
  }

  /**
   * Visits every committed record; topics that do not exist are empty.
   *
   * @param since or null for the beginning
   */
  void visit(Collection<String> topics, Instant since, Visitor visitor)
      throws CliException, InterruptedException {
    try {
      List<TopicPartition> partitions =
          topics.stream().flatMap(t -> Clients.partitions(consumer, t).stream()).toList();
      if (partitions.isEmpty()) {
        return;
      }
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      seek(partitions, since);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL)) {
          visitor.visit(record);
        }
      }
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  private void seek(List<TopicPartition> partitions, Instant since) {
    if (since == null) {
      consumer.seekToBeginning(partitions);
      return;
    }
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(p -> times.put(p, Math.max(0, since.toEpochMilli())));
    Map<TopicPartition, OffsetAndTimestamp> offsets = consumer.offsetsForTimes(times);
    for (TopicPartition partition : partitions) {
      OffsetAndTimestamp found = offsets.get(partition);
      if (found == null) {
        consumer.seekToEnd(List.of(partition));
      } else {
        consumer.seek(partition, found.offset());
      }
    }
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ZERO));
  }
}
