package dev.amanuensis.worker.buffers;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Indices of free slots: Treiber's stack over an array. The head carries a counter, so that a slot
 * which left and came back meanwhile is not taken for unmoved (ABA). Lock-free.
 */
final class FreeStack {
  private static final int NONE = -1;

  private final AtomicIntegerArray next;
  private final AtomicLong head = new AtomicLong(pack(0, NONE));

  FreeStack(int capacity) {
    next = new AtomicIntegerArray(capacity);
  }

  private static long pack(int version, int index) {
    return (long) version << 32 | index & 0xffff_ffffL;
  }

  void push(int index) {
    while (true) {
      long top = head.get();
      next.set(index, (int) top);
      if (head.compareAndSet(top, pack((int) (top >>> 32) + 1, index))) {
        return;
      }
    }
  }

  /** -1 if it is empty. */
  int pop() {
    while (true) {
      long top = head.get();
      int index = (int) top;
      if (index == NONE) {
        return NONE;
      }
      if (head.compareAndSet(top, pack((int) (top >>> 32) + 1, next.get(index)))) {
        return index;
      }
    }
  }
}
