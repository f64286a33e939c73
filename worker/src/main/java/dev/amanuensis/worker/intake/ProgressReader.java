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

  /** Topic by topic: one that is refused holds up no other. */
  void read(Consumer<?, ?> consumer) {
    Set<TopicPartition> ours = new HashSet<>(fresh);
    ours.retainAll(consumer.assignment()); // what was lost since leaves `fresh` in the next poll
    ours.stream()
        .collect(Collectors.groupingBy(TopicPartition::topic, Collectors.toSet()))
        .forEach(
            (topic, partitions) -> {
              if (!refusals.holds(topic)) {
                read(consumer, partitions);
              }
            });
  }

  private void read(Consumer<?, ?> consumer, Set<TopicPartition> partitions) {
    try {
      Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(partitions, LOOK_UP);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, LOOK_UP);
      for (TopicPartition p : partitions) {
        goOn(consumer, p, committed.get(p), ends.get(p));
      }
    } catch (TopicAuthorizationException e) {
      refusals.noted(e);
    }
  }

  private void goOn(
      Consumer<?, ?> consumer, TopicPartition p, OffsetAndMetadata committed, long end) {
    try {
      start(consumer, p, committed, end);
      fresh.remove(p);
    } catch (IllegalStateException e) {
      if (consumer.assignment().contains(p)) {
        throw e;
      }
      // lost meanwhile
    }
  }

  private void start(
      Consumer<?, ?> consumer, TopicPartition p, OffsetAndMetadata committed, long end) {
    if (committed == null) {
      assignment.add(p, consumer.position(p, LOOK_UP), null);
      return;
    }
    if (end < committed.offset()) {
      long begin = consumer.beginningOffsets(Set.of(p), LOOK_UP).get(p);
      LOG.error(
          "{} ends at {}, before the {} that were done: records were lost, or the topic was made"
              + " anew. It is read from its beginning ({}), so that no job is lost; some may be done"
              + " twice. To go on elsewhere, stop the workers and set the offsets of their group",
          p,
          end,
          committed.offset(),
          begin);
      consumer.seek(p, begin);
      assignment.add(p, begin, null);
      return;
    }
    if (!committed.metadata().isEmpty() && !OffsetMetadata.isOurs(committed.metadata())) {
      LOG.warn("the progress of {} was committed by someone else: {}", p, committed.metadata());
    }
    consumer.seek(p, committed.offset());
    assignment.add(p, committed.offset(), committed);
  }
}
