package dev.amanuensis.worker.intake;

import java.util.BitSet;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * Which records of one partition are done, though they finish out of order. What is committed is
 * the base (everything before it is done) and, in the offset's metadata, a bitmap of what is done
 * after it; a successor skips those. Belongs to the loop thread.
 *
 * <p>Offsets may have gaps (transaction markers, compaction), so the base moves by the records that
 * were seen, never by one.
 */
final class PartitionProgress {
  /** Offsets that the window may span, so that the bitmap fits the metadata. */
  static final int MAX_WINDOW = OffsetMetadata.MAX_BITS;

  private final TreeSet<Long> pending = new TreeSet<>();
  private final TreeSet<Long> done = new TreeSet<>();
  private long end;

  /** From what is committed. Metadata that is not ours counts as empty. */
  PartitionProgress(long base, String metadata) {
    this.end = base;
    OffsetMetadata.decode(metadata).stream().forEach(i -> done.add(base + i));
  }

  /** A record was delivered. False if it is done or delivered already: skip it. */
  boolean begin(long offset) {
    if (offset < base() || done.contains(offset) || !pending.add(offset)) {
      end = Math.max(end, offset + 1);
      return false;
    }
    end = Math.max(end, offset + 1);
    return true;
  }

  /** Everything before {@code nextOffset} was delivered or does not exist. */
  void advanced(long nextOffset) {
    end = Math.max(end, nextOffset);
  }

  void done(long offset) {
    pending.remove(offset);
    done.add(offset);
    done.headSet(base()).clear();
  }

  /** What to commit once these are published too, without counting them as done yet. */
  OffsetAndMetadata after(Set<Long> published) {
    long base = end;
    for (long offset : pending) {
      if (!published.contains(offset)) {
        base = offset;
        break;
      }
    }
    BitSet bits = new BitSet();
    for (long offset : done.tailSet(base)) {
      bits.set(Math.toIntExact(offset - base));
    }
    for (long offset : published) {
      if (offset >= base) {
        bits.set(Math.toIntExact(offset - base));
      }
    }
    return new OffsetAndMetadata(base, OffsetMetadata.encode(bits));
  }

  boolean isDone(long offset) {
    return offset < base() || done.contains(offset);
  }

  /** Everything before it was delivered. */
  long end() {
    return end;
  }

  /** Records that are done while one before them is not. */
  int doneBeyondBase() {
    return done.tailSet(base()).size();
  }

  /** Everything before it is done. */
  long base() {
    return pending.isEmpty() ? end : pending.first();
  }

  /** Whether the bitmap could say that this record is done. Others wait until the base moves. */
  boolean fits(long offset) {
    return offset - base() < MAX_WINDOW;
  }

  /** Whether the next record would not fit. */
  boolean full() {
    return !fits(end);
  }

  OffsetAndMetadata toCommit() {
    return after(Set.of());
  }
}
