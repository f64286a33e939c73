package dev.amanuensis.worker.buffers;

import dev.amanuensis.engine.NativeBuffer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * A buffer for a while. Closing it gives the buffer back; closing it twice, or using it afterwards,
 * is an error that names its owner. Its memory is a view of its own that dies with the lease, so a
 * native call over a lease that has ended is refused too. Thread-safe.
 */
public final class Lease implements AutoCloseable {
  private static final VarHandle OPEN;

  static {
    try {
      OPEN = MethodHandles.lookup().findVarHandle(Lease.class, "open", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final BufferPool pool;
  final Slot slot;
  private final NativeBuffer view;
  private final long generation;
  private final long since = System.nanoTime();
  private volatile String owner;

  private volatile boolean open = true;

  private boolean reported;

  Lease(BufferPool pool, Slot slot, String owner) {
    this.pool = pool;
    this.slot = slot;
    this.owner = owner;
    this.generation = slot.nextGeneration();
    this.view = slot.memory.view();
  }

  /** A buffer outside any pool, which is freed when the lease ends. */
  public static Lease unpooled(long bytes, String owner) {
    return new Lease(null, new Slot(-1, NativeBuffer.allocate(bytes)), owner);
  }

  /** The memory, until this lease is closed. */
  public NativeBuffer buffer() {
    if (!open) {
      throw new IllegalStateException(this + " is used after it was closed");
    }
    return view;
  }

  /** Who has it: for statistics and messages. */
  public String owner() {
    return owner;
  }

  /** From now on it is somebody else's; the age stays. */
  public Lease handTo(String next) {
    if (!open) {
      throw new IllegalStateException(this + " is handed to " + next + " after it was closed");
    }
    owner = next;
    return this;
  }

  /** How often the buffer was lent, this time included. */
  public long generation() {
    return generation;
  }

  public Duration age() {
    return Duration.ofNanos(ageNanos());
  }

  long ageNanos() {
    return System.nanoTime() - since;
  }

  public boolean isOpen() {
    return open;
  }

  /** True the first time. */
  synchronized boolean report() {
    boolean first = !reported;
    reported = true;
    return first;
  }

  @Override
  public void close() {
    if (!OPEN.compareAndSet(this, true, false)) {
      throw new IllegalStateException(this + " is closed twice");
    }
    view.close();
    if (pool == null) {
      slot.memory.close();
    } else {
      pool.giveBack(this);
    }
  }

  @Override
  public String toString() {
    return "lease of %s buffer %d, generation %d, owned by %s,"
        .formatted(pool == null ? "unpooled" : pool.label(), slot.index, generation, owner);
  }
}
