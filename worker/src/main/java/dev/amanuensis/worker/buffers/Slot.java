package dev.amanuensis.worker.buffers;

import dev.amanuensis.engine.NativeBuffer;
import java.nio.LongBuffer;

/** One buffer of a pool. Belongs to the pool's free stack or to one lease. */
final class Slot {
  /** As floats these are NaNs, as PCM a square wave: whoever reads it notices. */
  private static final long POISON = 0x7fff_dead_7fff_deadL;

  final int index;
  final NativeBuffer memory;

  /** The lease that is out, or the last one. */
  volatile Lease lease;

  private boolean poisoned;
  private long generation;

  Slot(int index, NativeBuffer memory) {
    this.index = index;
    this.memory = memory;
  }

  /** For the thread that took the slot. */
  long nextGeneration() {
    return ++generation;
  }

  void poison() {
    LongBuffer longs = memory.bytes().asLongBuffer();
    while (longs.hasRemaining()) {
      longs.put(POISON);
    }
    poisoned = true;
  }

  /** Whether somebody wrote to it since {@link #poison}. */
  boolean wasTouched() {
    if (!poisoned) {
      return false;
    }
    poisoned = false;
    LongBuffer longs = memory.bytes().asLongBuffer();
    while (longs.hasRemaining()) {
      if (longs.get() != POISON) {
        return true;
      }
    }
    return false;
  }
}
