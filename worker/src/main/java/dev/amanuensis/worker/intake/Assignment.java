package dev.amanuensis.worker.intake;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
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

  /**
   * A partition that comes back after it went counts as new.
   *
   * @param position of the next record, used where nothing is committed yet
   * @param committed or null
   */
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

  void clear() {
    held.clear();
  }

  /** Null if it is not held. */
  Held get(TopicPartition partition) {
    return held.get(partition);
  }

  /** Whether the ticket's partition is held since the ticket was made. */
  boolean isCurrent(Ticket ticket) {
    Held h = held.get(ticket.partition());
    return h != null && h.epoch() == ticket.epoch();
  }

  /** Of a ticket that is current. */
  PartitionProgress progressOf(Ticket ticket) {
    return held.get(ticket.partition()).progress();
  }

  /** Of a ticket that is current; null if there is nothing to know. */
  Mark mark(Ticket ticket) {
    return progressOf(ticket).mark(ticket.offset());
  }

  /**
   * Of a ticket that is current.
   *
   * @param mark null: nothing to know
   */
  void mark(Ticket ticket, Mark mark) {
    progressOf(ticket).mark(ticket.offset(), mark);
  }

  /** Of a ticket that is current: 1 unless workers were lost while its record was alone in them. */
  int attempt(Ticket ticket) {
    Mark mark = mark(ticket);
    return 1 + (mark == null ? 0 : mark.attempts());
  }

  /** Partitions whose window is at its end: a slow record holds their base. */
  Set<TopicPartition> full() {
    return held.entrySet().stream()
        .filter(e -> e.getValue().progress().full())
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  Set<TopicPartition> partitions() {
    return Set.copyOf(held.keySet());
  }

  /** This was committed. */
  void committed(Map<TopicPartition, OffsetAndMetadata> progress) {
    progress.forEach(
        (partition, offset) -> {
          Held h = held.get(partition);
          if (h != null) {
            h.progress().committed(offset.offset());
          }
        });
  }

  /** Partitions whose committed base is behind though nothing of them is left to publish. */
  Set<TopicPartition> lagging() {
    return held.entrySet().stream()
        .filter(e -> e.getValue().progress().lags())
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  /** What to commit now for the partitions of these tickets, all current: their marks. */
  Map<TopicPartition, OffsetAndMetadata> toCommit(Collection<Ticket> tickets) {
    Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
    tickets.forEach(t -> commit.put(t.partition(), held.get(t.partition()).progress().toCommit()));
    return commit;
  }

  /** What to commit now for those of these partitions that are held. */
  Map<TopicPartition, OffsetAndMetadata> toCommitOf(Collection<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
    for (TopicPartition p : partitions) {
      Held h = held.get(p);
      if (h != null) {
        commit.put(p, h.progress().toCommit());
      }
    }
    return commit;
  }

  /** What to commit for the partitions of these tickets, all current, once they are published. */
  Map<TopicPartition, OffsetAndMetadata> after(Collection<Ticket> published) {
    Map<TopicPartition, Set<Long>> offsets = new HashMap<>();
    for (Ticket t : published) {
      offsets.computeIfAbsent(t.partition(), p -> new HashSet<>()).add(t.offset());
    }
    Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
    offsets.forEach((p, done) -> commit.put(p, held.get(p).progress().after(done)));
    return commit;
  }
}
