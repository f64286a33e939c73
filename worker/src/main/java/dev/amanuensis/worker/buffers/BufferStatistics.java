package dev.amanuensis.worker.buffers;

import java.time.Duration;
import java.util.List;

/**
 * All pools at one moment.
 *
 * @param capBytes that the slots of the capped pools may have together
 * @param usedBytes that they have now, reserved ones counted
 */
public record BufferStatistics(long capBytes, long usedBytes, List<PoolStatistics> pools) {
  /** The statistics of one pool. */
  public PoolStatistics of(Pool pool) {
    return pools.get(pool.ordinal());
  }

  /** Leases that are out, of all pools. */
  public int inUse() {
    return pools.stream().mapToInt(PoolStatistics::inUse).sum();
  }

  /** Leases that are older than the limit, of all pools. */
  public int leaks() {
    return pools.stream().mapToInt(PoolStatistics::leaks).sum();
  }

  /**
   * One pool. Numbers since the start unless they say now.
   *
   * @param pool which one
   * @param enabled whether its slots are used again
   * @param slotBytes of one slot
   * @param initial slots that are reserved
   * @param most slots at most
   * @param slots that are allocated now
   * @param inUse leases that are out now
   * @param waiting threads that wait for a slot now
   * @param acquired leases given
   * @param hits leases that found a free slot at once
   * @param exhausted acquisitions that found no slot and no room to grow
   * @param failed acquisitions that got nothing, at once or in time
   * @param unpooled leases that got a buffer of their own
   * @param grown slots allocated above the initial number
   * @param shrunk slots given back
   * @param leaks leases that are older than the limit now
   * @param oldestLease age of the oldest lease that is out; zero if none is
   * @param oldestOwner whose it is; null if none is out
   * @param writesAfterClose slots that were changed while they were free (found in debug mode only)
   */
  public record PoolStatistics(
      Pool pool,
      boolean enabled,
      long slotBytes,
      int initial,
      int most,
      int slots,
      int inUse,
      int waiting,
      long acquired,
      long hits,
      long exhausted,
      long failed,
      long unpooled,
      long grown,
      long shrunk,
      int leaks,
      Duration oldestLease,
      String oldestOwner,
      long writesAfterClose) {
    /** Hits per acquisition; 1 before the first. */
    public double hitRate() {
      return acquired == 0 ? 1 : (double) hits / acquired;
    }
  }
}
