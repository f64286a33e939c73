package dev.amanuensis.worker.buffers;

/** What happens when a pool has no slot left and may not grow. */
public enum Exhaustion {
  /** Wait for one, up to a deadline: back-pressure. */
  WAIT,
  /** Fail at once. */
  FAIL,
  /** Take a buffer of its own, outside pool and cap, that is freed when the lease ends. */
  UNPOOLED
}
