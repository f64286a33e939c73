package dev.amanuensis.engine;

import java.util.function.LongConsumer;

/**
 * A native object and the calls that are using it. Close refuses later calls; the object is freed
 * at once, or by the last call on its way out.
 */
final class NativeHandle {
  private final String what;
  private final boolean exclusive;
  private final LongConsumer free;
  private final long address;
  private int users;
  private boolean closed;

  /**
   * @param exclusive whether the object belongs to one thread at a time
   */
  NativeHandle(String what, long address, boolean exclusive, LongConsumer free) {
    this.what = what;
    this.address = address;
    this.exclusive = exclusive;
    this.free = free;
  }

  /** The address, for a call that ends with {@link #exit}. */
  synchronized long enter() {
    if (closed) {
      throw new IllegalStateException(what + " is closed");
    }
    if (exclusive && users > 0) {
      throw new IllegalStateException(what + " is in use by another thread");
    }
    users++;
    return address;
  }

  synchronized void exit() {
    users--;
    if (closed && users == 0) {
      free.accept(address);
    }
  }

  synchronized boolean isClosed() {
    return closed;
  }

  synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (users == 0) {
      free.accept(address);
    }
  }
}
