package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.Lease;

/** A lease that ends with a block of code unless somebody takes it over. One thread. */
final class Held implements AutoCloseable {
  private Lease lease;

  Held(Lease lease) {
    this.lease = lease;
  }

  Lease lease() {
    return lease;
  }

  /** The caller closes it from now on. */
  Lease take() {
    Lease taken = lease;
    lease = null;
    return taken;
  }

  /** Before the end of the block. */
  @Override
  public void close() {
    if (lease != null) {
      take().close();
    }
  }
}
