package dev.amanuensis.worker.buffers;

/** There was no buffer: at once, or within the time that an acquisition may wait. */
public final class PoolExhaustedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PoolExhaustedException(String message) {
    super(message);
  }
}
