package dev.amanuensis.worker.intake;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what the predecessors of new partitions have done. Not in the rebalance callback: a killed
 * worker's open transaction can make the broker answer late, and a callback must not fail. Belongs
 * to the loop thread.
 */
final class ProgressReader {
  private static final Logger LOG = LoggerFactory.getLogger(ProgressReader.class);
  private static final Duration LOOK_UP = Duration.ofSeconds(5);

  private final Assignment assignment;
  private final Refusals refusals;

  /** Assigned, and paused until their committed progress is read. */
  private final Set<TopicPartition> fresh = new HashSet<>();

  ProgressReader(Assignment assignment, Refusals refusals) {
    this.assignment = assignment;
    this.refusals = refusals;
  }

  void assigned(Collection<TopicPartition> partitions) {
    fresh.addAll(partitions);
  }

  void dropped(Collection<TopicPartition> partitions) {
    fresh.removeAll(partitions);
  }

  /** Those to be paused until their progress is read. */
  Set<TopicPartition> fresh() {
    return fresh;
  }

  /**
   * Topic by topic: one that is refused holds up no other. What Kafka does not tell now is asked
   * for in the next turn: the loop must poll meanwhile, or nothing could be given back.
   */
  void read(Consumer<?, ?> consumer) {
    Set<TopicPartition> ours = new HashSet<>(fresh);
    ours.retainAll(consumer.assignment()); // what was lost since leaves `fresh` in the next poll
    Map<String, Set<TopicPartition>> topics =
        ours.stream().collect(Collectors.groupingBy(TopicPartition::topic, Collectors.toSet()));
    try {
      for (Map.Entry<String, Set<TopicPartition>> topic : topics.entrySet()) {
        if (!refusals.holds(topic.getKey())) {
          read(consumer, topic.getValue());
        }
      }
    } catch (RetriableException e) {
      LOG.warn("the progress of {} can't be read now: {}; trying again", ours, e.toString());
    }
  }

  private void read(Consumer<?, ?> consumer, Set<TopicPartition> partitions) {
    try {
      Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(partitions, LOOK_UP);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, LOOK_UP);
      Set<TopicPartition> fromStart =
          partitions.stream()
              .filter(p -> committed.get(p) == null || ends.get(p) < committed.get(p).offset())
              .collect(Collectors.toSet());
      // Not their position: while a partition is to be given back the consumer does not look for
      // it, and the poll that gives it back would wait for that.
      Map<TopicPartition, Long> begins =
          fromStart.isEmpty() ? Map.of() : consumer.beginningOffsets(fromStart, LOOK_UP);
      for (TopicPartition p : partitions) {
        goOn(consumer, p, committed.get(p), begins.get(p), ends.get(p));
      }
    } catch (TopicAuthorizationException e) {
      refusals.noted(e);
    }
  }

  /**
   * @param begin of the partition, where it is read from its start, else null
   */
  private void goOn(
      Consumer<?, ?> consumer,
      TopicPartition p,
      OffsetAndMetadata committed,
      Long begin,
      long end) {
    try {
      if (begin == null) {
        resume(consumer, p, committed);
      } else {
        if (committed != null) {
          sayLost(p, committed, begin, end);
        }
        consumer.seek(p, begin);
        assignment.add(p, begin, null);
      }
      fresh.remove(p);
    } catch (IllegalStateException e) {
      if (consumer.assignment().contains(p)) {
        throw e;
      }
      // lost meanwhile
    }
  }

  private static void sayLost(TopicPartition p, OffsetAndMetadata committed, long begin, long end) {
    LOG.error(
        "{} ends at {}, before the {} that were done: records were lost, or the topic was made"
            + " anew. It is read from its beginning ({}), so that no job is lost; some may be done"
            + " twice. To go on elsewhere, stop the workers and set the offsets of their group",
        p,
        end,
        committed.offset(),
        begin);
  }

  private void resume(Consumer<?, ?> consumer, TopicPartition p, OffsetAndMetadata committed) {
    if (!committed.metadata().isEmpty() && !OffsetMetadata.isOurs(committed.metadata())) {
      LOG.warn("the progress of {} was committed by someone else: {}", p, committed.metadata());
    }
    consumer.seek(p, committed.offset());
    assignment.add(p, committed.offset(), committed);
  }
}
