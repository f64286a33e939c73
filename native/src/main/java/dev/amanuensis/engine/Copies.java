package dev.amanuensis.engine;

/**
 * How often a buffer of audio size (PCM, log-mel, encoder states) was filled, and with how many
 * bytes.
 */
public record Copies(long count, long bytes) {
  /** By the calling thread, since it started. */
  public static Copies ofThread() {
    return new Copies(Abi.am_copies(), Abi.am_copied_bytes());
  }

  /** Counts what the caller copied itself, on the calling thread. */
  public static void count(long bytes) {
    Abi.am_count_copy(bytes);
  }

  public Copies minus(Copies earlier) {
    return new Copies(count - earlier.count, bytes - earlier.bytes);
  }
}
