package dev.amanuensis.worker.pipeline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Predicate;

/**
 * Work waiting for a stage: the most urgent first, by priority, then deadline, then arrival.
 * Waiting makes it more urgent: by one after the first ageing interval, and the gain doubles with
 * each further one, so that no difference of priorities starves anybody. Bounded: who wants to put
 * something in reserves a place first, and takes its own work after that, so that a full queue
 * holds back the stage and not a piece of work that something more urgent could overtake.
 * Thread-safe.
 */
final class StageQueue<T> {
  /** From it on the gain exceeds any difference of two ints, and only age counts. */
  private static final long MOST_DOUBLINGS = 33;

  /** Who waits for a place looks so often whether something urgent has arrived behind it. */
  private static final long LOOK_AGAIN = TimeUnit.MILLISECONDS.toNanos(20);

  /** A piece of work and since when it waits. */
  record Waiting<T>(T item, JobRun run, long since) {
    long waited() {
      return System.nanoTime() - since;
    }
  }

  private final Stage stage;
  private final int capacity;
  private final long ageing;
  private final Function<T, JobRun> run;
  private final PipelineMeter meter;
  private final List<Waiting<T>> entries = new ArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Condition arrived = lock.newCondition();
  private final Condition drained = lock.newCondition();
  private int reserved;

  StageQueue(
      Stage stage, int capacity, Duration ageing, Function<T, JobRun> run, PipelineMeter meter) {
    this.stage = stage;
    this.capacity = capacity;
    this.ageing = ageing.toNanos();
    this.run = run;
    this.meter = meter;
  }

  /** Reserves a place, at once or not at all. */
  boolean tryReserve() {
    lock.lock();
    try {
      if (entries.size() + reserved >= capacity) {
        meter.overflowed(stage);
        return false;
      }
      reserved++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until a place is reserved. What has a higher priority than all that lies here gets one
   * beyond the capacity: a full queue of bulk work holds nobody back who is in a hurry.
   *
   * @param priority of the caller's most urgent work, now
   */
  void reserve(IntSupplier priority) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      if (entries.size() + reserved >= capacity) {
        meter.overflowed(stage);
      }
      while (entries.size() + reserved >= capacity && !outranksAll(priority.getAsInt())) {
        drained.awaitNanos(LOOK_AGAIN);
      }
      reserved++;
    } finally {
      lock.unlock();
    }
  }

  private boolean outranksAll(int priority) {
    return !entries.isEmpty() && priority() < priority;
  }

  /** The highest priority of what lies here; {@link Integer#MIN_VALUE} if nothing does. */
  int priority() {
    lock.lock();
    try {
      return entries.stream().mapToInt(e -> e.run().job.priority()).max().orElse(Integer.MIN_VALUE);
    } finally {
      lock.unlock();
    }
  }

  /** Gives a reserved place back. */
  void release() {
    lock.lock();
    try {
      reserved--;
      drained.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Into the place that the caller has reserved. */
  void put(T item) {
    add(item, 1);
  }

  /**
   * Work of a job that is under way, without a place: there is at most one such piece for each job,
   * and to wait for a place here could stop the pipeline for ever.
   */
  void putBack(T item) {
    add(item, 0);
  }

  private void add(T item, int places) {
    lock.lock();
    try {
      JobRun owner = run.apply(item);
      owner.waitsFor(stage);
      reserved -= places;
      entries.add(new Waiting<>(item, owner, System.nanoTime()));
      filled.signal();
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns when there is something, which another thread may take first. */
  void awaitItem() throws InterruptedException {
    awaitItem(Long.MAX_VALUE);
  }

  /** Returns when there is something, or after the time. */
  void awaitItem(long millis) throws InterruptedException {
    long left = TimeUnit.MILLISECONDS.toNanos(millis);
    lock.lockInterruptibly();
    try {
      while (entries.isEmpty() && left > 0) {
        left = filled.awaitNanos(left);
      }
      if (entries.size() > 1) {
        filled.signal(); // there is some for another thread too
      }
    } finally {
      lock.unlock();
    }
  }

  /** Returns when there is something of that priority or above, be it gone again since. */
  void awaitItemOf(int least) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (priority() < least) {
        arrived.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The most urgent piece of that priority or above; null if there is none. */
  Waiting<T> pollOf(int least) {
    lock.lock();
    try {
      Waiting<T> first = first(e -> e.run().job.priority() >= least);
      take(first);
      return first;
    } finally {
      lock.unlock();
    }
  }

  /** The most urgent piece, or null if there is none. */
  Waiting<T> poll() {
    return poll(item -> true);
  }

  /** The most urgent piece if it fits; null if it does not, or if there is none. */
  Waiting<T> poll(Predicate<T> fits) {
    lock.lock();
    try {
      Waiting<T> first = first(e -> true);
      if (first == null || !fits.test(first.item())) {
        return null;
      }
      take(first);
      return first;
    } finally {
      lock.unlock();
    }
  }

  private Waiting<T> first(Predicate<Waiting<T>> among) {
    long now = System.nanoTime();
    Waiting<T> first = null;
    for (Waiting<T> entry : entries) {
      if (among.test(entry) && (first == null || isBefore(entry, first, now))) {
        first = entry;
      }
    }
    return first;
  }

  private void take(Waiting<T> entry) {
    if (entry != null) {
      entries.remove(entry);
      drained.signal();
    }
  }

  private boolean isBefore(Waiting<T> a, Waiting<T> b, long now) {
    int urgency = Long.compare(urgency(b, now), urgency(a, now));
    if (urgency != 0) {
      return urgency < 0;
    }
    int deadline = a.run().deadline().compareTo(b.run().deadline());
    return deadline != 0 ? deadline < 0 : a.run().sequence < b.run().sequence;
  }

  private long urgency(Waiting<T> entry, long now) {
    long doublings = Math.min(MOST_DOUBLINGS, Math.max(0, now - entry.since()) / ageing);
    return doublings == MOST_DOUBLINGS
        ? Long.MAX_VALUE
        : entry.run().job.priority() + (1L << doublings) - 1;
  }

  int size() {
    lock.lock();
    try {
      return entries.size();
    } finally {
      lock.unlock();
    }
  }

  int capacity() {
    return capacity;
  }
}
