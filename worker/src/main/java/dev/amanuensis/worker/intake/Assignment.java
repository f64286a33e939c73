package dev.amanuensis.worker.intake;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The partitions held now, each with its progress and an epoch. The broker checks that a commit
 * comes from a member, not that the member owns the partition: so nothing is committed for an epoch
 * that is not held any more. Belongs to the loop thread.
 */
final class Assignment {
  /** A partition as held since its last assignment. */
  record Held(long epoch, PartitionProgress progress) {}

  private final Map<TopicPartition, Held> held = new HashMap<>();
  private long lastEpoch;

  /** A partition that comes back after it went counts as new. */
  void add(TopicPartition partition, long position, OffsetAndMetadata committed) {
    PartitionProgress progress =
        committed == null
            ? new PartitionProgress(position, null)
            : new PartitionProgress(committed.offset(), committed.metadata());
    held.put(partition, new Held(++lastEpoch, progress));
  }

  void remove(Collection<TopicPartition> partitions) {
    partitions.forEach(held::remove);
  }

  /** Null if it is not held. */
  Held get(TopicPartition partition) {
    return held.get(partition);
  }

  /** Whether the partition is held since that epoch. */
  boolean isCurrent(TopicPartition partition, long epoch) {
    Held h = held.get(partition);
    return h != null && h.epoch() == epoch;
  }

  boolean anyFull() {
    return held.values().stream().anyMatch(h -> h.progress().full());
  }
}
