package dev.amanuensis.worker.buffers;

/**
 * The limits of one pool.
 *
 * @param slotBytes of one buffer; rounded up to whole pages
 * @param initial slots that are reserved for this pool and never given back
 * @param most slots that it may grow to, if the byte cap lets it
 * @param exhaustion what happens when all are out
 * @param enabled false: every lease is a buffer of its own, as if there were no pool
 */
public record PoolConfig(
    long slotBytes, int initial, int most, Exhaustion exhaustion, boolean enabled) {
  private static final long PAGE = 4096;

  public PoolConfig {
    if (slotBytes <= 0 || initial < 0 || most < Math.max(1, initial)) {
      throw new IllegalArgumentException(
          "a pool of %d to %d slots of %d bytes".formatted(initial, most, slotBytes));
    }
    slotBytes = (slotBytes + PAGE - 1) / PAGE * PAGE;
  }

  /** Back-pressure, switched on. */
  public static PoolConfig of(long slotBytes, int initial, int most) {
    return new PoolConfig(slotBytes, initial, most, Exhaustion.WAIT, true);
  }

  long initialBytes() {
    return enabled ? slotBytes * initial : 0;
  }
}
