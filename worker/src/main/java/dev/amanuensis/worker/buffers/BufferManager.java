package dev.amanuensis.worker.buffers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The pools and the byte cap over them. Thread-safe. */
public final class BufferManager implements AutoCloseable {
  private final BufferConfig config;
  private final ByteBudget capped;
  private final List<BufferPool> pools = new ArrayList<>();
  private volatile long lastTrim = System.nanoTime();

  public BufferManager(BufferConfig config) {
    this.config = config;
    this.capped = new ByteBudget(config.capBytes());
    ByteBudget apart = new ByteBudget(Long.MAX_VALUE);
    for (Pool pool : Pool.values()) {
      pools.add(
          new BufferPool(
              pool,
              config.pools().get(pool),
              config.patience(),
              config.debug(),
              pool.capped() ? capped : apart,
              this::reclaim));
    }
  }

  /**
   * A buffer with undefined content.
   *
   * @param owner for statistics and messages
   * @throws PoolExhaustedException if there is none, at once or in time as configured
   */
  public Lease acquire(Pool pool, String owner) throws InterruptedException {
    return pools.get(pool.ordinal()).acquire(owner);
  }

  /**
   * Whether the caller is to wait because the last buffer of a pool that has several is left to who
   * is in a hurry. For one caller at a time.
   */
  public boolean leavesLast(Pool pool, boolean urgent) {
    return pools.get(pool.ordinal()).leavesLast(urgent);
  }

  /** Lets the others give up idle slots until there is room for one more of the needy pool's. */
  private boolean reclaim(BufferPool needy) {
    if (needy == pools.get(Pool.CROSS_KV.ordinal()) || hasRoom(needy)) {
      return false; // it is not the cap that holds it back
    }
    boolean any = false;
    for (BufferPool pool : pools) {
      if (pool != needy && pool != pools.get(Pool.CROSS_KV.ordinal())) {
        while (!hasRoom(needy) && pool.giveOne()) {
          any = true;
        }
      }
    }
    return any && hasRoom(needy);
  }

  private boolean hasRoom(BufferPool needy) {
    return capped.cap() - capped.used() >= needy.slotBytes();
  }

  /**
   * Gives back what was idle for long, wakes who may grow now, and reports leaks. To be called now
   * and then.
   */
  public void tend() {
    long now = System.nanoTime();
    if (now - lastTrim >= config.idle().toNanos()) {
      lastTrim = now;
      pools.forEach(BufferPool::trim);
      pools.forEach(pool -> pool.reportLeaks(config.leakAge()));
    }
    pools.stream().filter(BufferPool::hasWaiters).forEach(BufferPool::wake);
  }

  /** All pools at one moment. */
  public BufferStatistics statistics() {
    Duration leakAge = config.leakAge();
    return new BufferStatistics(
        capped.cap(), capped.used(), pools.stream().map(p -> p.statistics(leakAge)).toList());
  }

  @Override
  public void close() {
    pools.forEach(BufferPool::close);
  }
}
