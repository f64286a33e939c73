package dev.amanuensis.worker.buffers;

import dev.amanuensis.engine.NativeBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slots of one size. Taking and giving back a free one is lock-free; growing, shrinking and waiting
 * take a lock. Thread-safe.
 */
public final class BufferPool implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BufferPool.class);

  /** What other pools give up so that this one may grow. */
  interface Reclaim {
    boolean reclaim(BufferPool needy);
  }

  private final Pool pool;
  private final PoolConfig config;
  private final long waitNanos;
  private final boolean debug;
  private final ByteBudget budget;
  private final Reclaim reclaim;

  private final AtomicReferenceArray<Slot> slots;
  private final FreeStack free;
  private final LeasesOut out;
  private final AtomicInteger pooledInUse = new AtomicInteger();
  private final AtomicInteger peakInUse = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();
  private final LongAdder acquired = new LongAdder();
  private final LongAdder hits = new LongAdder();
  private final LongAdder exhausted = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder unpooled = new LongAdder();
  private final LongAdder grown = new LongAdder();
  private final LongAdder shrunk = new LongAdder();
  private final LongAdder touched = new LongAdder();

  /** Guards what follows. */
  private final ReentrantLock lock = new ReentrantLock(true);

  private final Condition available = lock.newCondition();
  private int allocated;
  private boolean closed;

  /** 0: the last one is not left to anybody. */
  private long lastLeftSince;

  BufferPool(
      Pool pool,
      PoolConfig config,
      Duration wait,
      boolean debug,
      ByteBudget budget,
      Reclaim reclaim) {
    this.pool = pool;
    this.config = config;
    this.waitNanos = wait.toNanos();
    this.debug = debug;
    this.budget = budget;
    this.reclaim = reclaim;
    this.slots = new AtomicReferenceArray<>(config.most());
    this.free = new FreeStack(config.most());
    this.out = new LeasesOut(slots);
    if (!budget.tryTake(config.initialBytes())) {
      throw new IllegalArgumentException("no room for the initial slots of " + label());
    }
  }

  String label() {
    return pool.label();
  }

  long slotBytes() {
    return config.slotBytes();
  }

  /**
   * A buffer with undefined content.
   *
   * @param owner for statistics and messages
   * @throws PoolExhaustedException if there is none, at once or in time as configured
   */
  public Lease acquire(String owner) throws InterruptedException {
    if (!config.enabled()) {
      return unpooled(owner);
    }
    int index = free.pop();
    if (index >= 0) {
      hits.increment();
      return lend(index, owner);
    }
    return acquireSlowly(owner);
  }

  /**
   * Whether the caller is to wait as if there were none: the last one of several is for who is in a
   * hurry. Where none comes back in the time that a lease is waited for, it may be had, so that the
   * next one fails with the name of who has the oldest. For one caller at a time.
   */
  boolean leavesLast(boolean urgent) {
    boolean leaves =
        !urgent
            && config.enabled()
            && config.exhaustion() == Exhaustion.WAIT
            && config.most() > 1
            && pooledInUse.get() >= config.most() - 1;
    lock.lock();
    try {
      if (!leaves) {
        lastLeftSince = 0;
        return false;
      }
      if (lastLeftSince == 0) {
        lastLeftSince = System.nanoTime();
        exhausted.increment();
      }
      return System.nanoTime() - lastLeftSince < waitNanos;
    } finally {
      lock.unlock();
    }
  }

  private Lease lend(int index, String owner) {
    Slot slot = slots.get(index);
    acquired.increment();
    int now = pooledInUse.incrementAndGet();
    if (now > peakInUse.get()) {
      peakInUse.accumulateAndGet(now, Math::max);
    }
    if (debug && slot.wasTouched()) {
      touched.increment();
      LOG.error("{} was written to after it was closed", slot.lease);
    }
    Lease lease = new Lease(this, slot, owner);
    slot.lease = lease;
    return lease;
  }

  private Lease acquireSlowly(String owner) throws InterruptedException {
    int index = growOrPop();
    if (index < 0 && reclaim.reclaim(this)) {
      index = growOrPop();
    }
    if (index >= 0) {
      return lend(index, owner);
    }
    exhausted.increment();
    switch (config.exhaustion()) {
      case UNPOOLED:
        return unpooled(owner);
      case FAIL:
        failed.increment();
        throw new PoolExhaustedException(
            "no %s buffer is free for %s: all %d are in use"
                .formatted(label(), owner, pooledInUse.get()));
      default:
        return await(owner);
    }
  }

  /** -1 if there is no free slot and no room for another. */
  private int growOrPop() {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the " + label() + " buffers are closed");
      }
      int index = free.pop();
      if (index >= 0 || allocated == config.most()) {
        return index;
      }
      boolean reserved = allocated < config.initial();
      if (!reserved && !budget.tryTake(slotBytes())) {
        return -1;
      }
      try {
        index = vacant();
        slots.set(index, new Slot(index, NativeBuffer.allocate(slotBytes())));
      } catch (Throwable e) {
        if (!reserved) {
          budget.giveBack(slotBytes());
        }
        throw e;
      }
      allocated++;
      if (!reserved) {
        grown.increment();
      }
      return index;
    } finally {
      lock.unlock();
    }
  }

  private int vacant() {
    for (int i = 0; i < slots.length(); i++) {
      if (slots.get(i) == null) {
        return i;
      }
    }
    throw new IllegalStateException("no vacant slot in " + label());
  }

  private Lease await(String owner) throws InterruptedException {
    long deadline = System.nanoTime() + waitNanos;
    // Counted before the first look: who gives a slot back afterwards sees it and wakes us.
    waiting.incrementAndGet();
    try {
      while (true) {
        // Not under our lock: it takes those of other pools.
        boolean room = reclaim.reclaim(this);
        int index = growOrPop();
        if (index >= 0) {
          return lend(index, owner);
        }
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          failed.increment();
          Optional<Lease> oldest = out.oldest();
          throw new PoolExhaustedException(
              "no %s buffer became free for %s within %s; the oldest has been out for %s, to %s"
                  .formatted(
                      label(),
                      owner,
                      Duration.ofNanos(waitNanos),
                      oldest.map(Lease::age).orElse(Duration.ZERO),
                      oldest.map(Lease::owner).orElse(null)));
        }
        if (!room) {
          sleep(left);
        }
      }
    } finally {
      waiting.decrementAndGet();
    }
  }

  /** Until a slot may have become free; not at all if one is. */
  private void sleep(long nanos) throws InterruptedException {
    lock.lock();
    try {
      int index = free.pop();
      if (index >= 0) {
        free.push(index);
        return;
      }
      available.awaitNanos(nanos);
    } finally {
      lock.unlock();
    }
  }

  private Lease unpooled(String owner) {
    Slot slot = new Slot(-1, NativeBuffer.allocate(slotBytes()));
    Lease lease = new Lease(this, slot, owner);
    slot.lease = lease;
    out.addUnpooled(lease);
    acquired.increment();
    unpooled.increment();
    return lease;
  }

  void giveBack(Lease lease) {
    Slot slot = lease.slot;
    if (slot.index < 0) {
      out.removeUnpooled(lease);
      slot.memory.close();
      return;
    }
    if (debug) {
      slot.poison();
    }
    pooledInUse.decrementAndGet();
    free.push(slot.index);
    if (waiting.get() > 0) {
      wake();
    }
  }

  /** There may be a slot, or room for one. */
  void wake() {
    lock.lock();
    try {
      available.signal();
    } finally {
      lock.unlock();
    }
  }

  boolean hasWaiters() {
    return waiting.get() > 0;
  }

  /** Gives back slots above the initial number that nobody needed since the last call. */
  int trim() {
    int needed = peakInUse.getAndSet(pooledInUse.get());
    return shrinkTo(Math.max(config.initial(), needed), Integer.MAX_VALUE);
  }

  /** Gives back one slot above the initial number if one is free. */
  boolean giveOne() {
    return shrinkTo(config.initial(), 1) > 0;
  }

  private int shrinkTo(int target, int most) {
    int given = 0;
    lock.lock();
    try {
      while (allocated > target && given < most) {
        int index = free.pop();
        if (index < 0) {
          break;
        }
        slots.getAndSet(index, null).memory.close();
        allocated--;
        given++;
        shrunk.increment();
        budget.giveBack(slotBytes());
      }
    } finally {
      lock.unlock();
    }
    return given;
  }

  /** Says once of each lease that is older that it is a leak. */
  void reportLeaks(Duration leakAge) {
    out.reportLeaks(leakAge);
  }

  BufferStatistics.PoolStatistics statistics(Duration leakAge) {
    int allocatedNow = 0;
    for (int i = 0; i < slots.length(); i++) {
      allocatedNow += slots.get(i) == null ? 0 : 1;
    }
    Optional<Lease> oldest = out.oldest();
    return new BufferStatistics.PoolStatistics(
        pool,
        config.enabled(),
        slotBytes(),
        config.initial(),
        config.most(),
        allocatedNow,
        pooledInUse.get() + out.unpooled(),
        waiting.get(),
        acquired.sum(),
        hits.sum(),
        exhausted.sum(),
        failed.sum(),
        unpooled.sum(),
        grown.sum(),
        shrunk.sum(),
        out.leaks(leakAge),
        oldest.map(Lease::age).orElse(Duration.ZERO),
        oldest.map(Lease::owner).orElse(null),
        touched.sum());
  }

  /** Frees the slots that are not out; the others stay until the process ends, and that is said. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      for (int index = free.pop(); index >= 0; index = free.pop()) {
        slots.getAndSet(index, null).memory.close();
        allocated--;
      }
      available.signalAll();
    } finally {
      lock.unlock();
    }
    for (int i = 0; i < slots.length(); i++) {
      Slot slot = slots.get(i);
      if (slot != null) {
        LOG.warn("{} is still out while the buffers are closed", slot.lease);
      }
    }
  }
}
