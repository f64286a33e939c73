package dev.amanuensis.worker.intake;

import java.util.BitSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * Which records of one partition are done, though they finish out of order, and the marks of those
 * that are at work. What is committed is the base (everything before it is done) and, in the
 * offset's metadata, a bitmap of what is done after it and the marks; a successor skips what is
 * done. Belongs to the loop thread.
 *
 * <p>Offsets may have gaps (transaction markers, compaction), so the base moves by the records that
 * were seen, never by one.
 */
final class PartitionProgress {
  /** Offsets that the window may span, so that the bitmap fits the metadata. */
  static final int MAX_WINDOW = OffsetMetadata.MAX_BITS;

  private final TreeSet<Long> pending = new TreeSet<>();
  private final TreeSet<Long> done = new TreeSet<>();
  private final TreeMap<Long, Mark> marks = new TreeMap<>();
  private long end;

  /** The base that was committed last. */
  private long committed;

  /** From what is committed. Metadata that is not ours counts as empty. */
  PartitionProgress(long base, String metadata) {
    this.end = base;
    this.committed = base;
    OffsetMetadata committed = OffsetMetadata.decode(metadata);
    committed.done().stream().forEach(i -> done.add(base + i));
    committed.marks().forEach((i, mark) -> marks.put(base + i, mark.inherited()));
    marks.keySet().removeAll(done);
  }

  /** A record was delivered. False if it is done or delivered already: skip it. */
  boolean begin(long offset) {
    boolean open = offset >= base() && !done.contains(offset) && pending.add(offset);
    end = Math.max(end, offset + 1);
    return open;
  }

  /** Everything before {@code nextOffset} was delivered or does not exist. */
  void advanced(long nextOffset) {
    end = Math.max(end, nextOffset);
  }

  void done(long offset) {
    pending.remove(offset);
    marks.remove(offset);
    done.add(offset);
    done.headSet(base()).clear();
    // A mark before the base is of a record that is gone from the log.
    marks.headMap(base()).clear();
  }

  /** Null if there is nothing to know. */
  Mark mark(long offset) {
    return marks.get(offset);
  }

  /**
   * @param mark null: nothing to know
   */
  void mark(long offset, Mark mark) {
    if (mark == null) {
      marks.remove(offset);
    } else {
      marks.put(offset, mark);
    }
  }

  /**
   * Whether one more record can be marked.
   *
   * @param besides marks that will be set before
   */
  boolean takesMark(long offset, int besides) {
    return marks.containsKey(offset) || marks.size() + besides < OffsetMetadata.MAX_MARKS;
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
    TreeMap<Integer, Mark> left = new TreeMap<>();
    for (Map.Entry<Long, Mark> mark : marks.tailMap(base).entrySet()) {
      if (!published.contains(mark.getKey())) {
        left.put(Math.toIntExact(mark.getKey() - base), mark.getValue());
      }
    }
    return new OffsetAndMetadata(base, new OffsetMetadata(bits, left).encode());
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

  /** A commit with this base has succeeded. */
  void committed(long base) {
    committed = base;
  }

  /**
   * Whether the base has moved and no publication will tell: all that was delivered is done, by
   * predecessors.
   */
  boolean lags() {
    return pending.isEmpty() && end > committed;
  }

  OffsetAndMetadata toCommit() {
    return after(Set.of());
  }
}
