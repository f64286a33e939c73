package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.publish.Finished;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Which records of one partition are done, though they finish out of order. What is committed is
 * the base (everything before it is done) and, in the offset's metadata, a bitmap of what is done
 * after it; a successor skips those. Belongs to the loop thread.
 *
 * <p>Offsets may have gaps (transaction markers, compaction), so the base moves by the records that
 * were seen, never by one.
 */
final class PartitionProgress {
  /**
   * Offsets that the window may span: Base64 of so many bits and the prefix fit the broker's 4,096
   * bytes (offset.metadata.max.bytes).
   */
  static final int MAX_WINDOW = 4096 / 4 * 3 * 8 - 256;

  private static final String PREFIX = "a1:";

  private final TreeSet<Long> pending = new TreeSet<>();
  private final TreeSet<Long> done = new TreeSet<>();
  private long end;

  /** From what is committed. Metadata that is not ours counts as empty. */
  PartitionProgress(long base, String metadata) {
    this.end = base;
    if (metadata != null && metadata.startsWith(PREFIX)) {
      BitSet bits;
      try {
        bits = BitSet.valueOf(Base64.getDecoder().decode(metadata.substring(PREFIX.length())));
      } catch (IllegalArgumentException e) {
        return;
      }
      bits.stream().forEach(i -> done.add(base + i));
    }
  }

  /** A record was delivered. False if it is done already: skip it. */
  boolean begin(long offset) {
    end = Math.max(end, offset + 1);
    if (done.contains(offset)) {
      return false;
    }
    pending.add(offset);
    return true;
  }

  /** Everything before {@code nextOffset} was delivered or does not exist. */
  void advanced(long nextOffset) {
    end = Math.max(end, nextOffset);
  }

  void done(long offset) {
    pending.remove(offset);
    done.add(offset);
    long base = base();
    done.headSet(base).clear();
  }

  /** What to commit once {@code finished} is published, without counting it as done yet. */
  OffsetAndMetadata after(List<Finished> finished, TopicPartition partition) {
    PartitionProgress then = new PartitionProgress(end, null);
    then.pending.addAll(pending);
    then.done.addAll(done);
    then.end = end;
    for (Finished f : finished) {
      if (f.partition().equals(partition)) {
        then.done(f.offset());
      }
    }
    return then.toCommit();
  }

  boolean isDone(long offset) {
    return offset < base() || done.contains(offset);
  }

  /** Everything before it is done. */
  long base() {
    return pending.isEmpty() ? end : pending.first();
  }

  /** Whether another record would outgrow what the metadata can say. */
  boolean full() {
    return end - base() >= MAX_WINDOW;
  }

  OffsetAndMetadata toCommit() {
    long base = base();
    BitSet bits = new BitSet();
    done.tailSet(base).forEach(offset -> bits.set((int) (offset - base)));
    return new OffsetAndMetadata(
        base,
        bits.isEmpty()
            ? ""
            : PREFIX + Base64.getEncoder().withoutPadding().encodeToString(bits.toByteArray()));
  }
}
