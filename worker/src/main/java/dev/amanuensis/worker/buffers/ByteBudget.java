package dev.amanuensis.worker.buffers;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes that pools share. Lock-free. */
final class ByteBudget {
  private final long cap;
  private final AtomicLong used = new AtomicLong();

  ByteBudget(long cap) {
    this.cap = cap;
  }

  boolean tryTake(long bytes) {
    for (long now = used.get(); now + bytes <= cap; now = used.get()) {
      if (used.compareAndSet(now, now + bytes)) {
        return true;
      }
    }
    return false;
  }

  void giveBack(long bytes) {
    used.addAndGet(-bytes);
  }

  long cap() {
    return cap;
  }

  long used() {
    return used.get();
  }
}
