package dev.amanuensis.worker.buffers;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * All pools.
 *
 * @param capBytes of the slots of the mel, audio and encoder pools together
 * @param pools one for each {@link Pool}
 * @param patience longest time that an acquisition waits for a slot
 * @param leakAge a lease older than this is a leak
 * @param idle time after which a slot above the initial number that nobody needed is given back
 * @param debug poison slots that are free, and notice writes to them
 */
public record BufferConfig(
    long capBytes,
    Map<Pool, PoolConfig> pools,
    Duration patience,
    Duration leakAge,
    Duration idle,
    boolean debug) {
  /** 50 MB. */
  public static final long DEFAULT_CAP_BYTES = 50_000_000;

  public BufferConfig {
    pools = Map.copyOf(new EnumMap<>(pools));
    if (pools.size() != Pool.values().length) {
      throw new IllegalArgumentException("pools are missing: " + pools.keySet());
    }
    long initial = 0;
    for (Pool pool : Pool.values()) {
      initial += pool.capped() ? pools.get(pool).initialBytes() : 0;
    }
    if (initial > capBytes) {
      throw new IllegalArgumentException(
          "the cap is %,d bytes, the initial slots of the pools need %,d"
              .formatted(capBytes, initial));
    }
  }

  /**
   * The pools of the design: mel 10 to 20, audio 5 to 15, encoder 5 to 15.
   *
   * @param kvInitial cross-attention slots to start with
   * @param kvMost cross-attention slots at most: the windows that may be encoded or decoded at once
   */
  public static BufferConfig defaults(
      long melBytes, long audioBytes, long encoderBytes, long kvBytes, int kvInitial, int kvMost) {
    return new BufferConfig(
        DEFAULT_CAP_BYTES,
        Map.of(
            Pool.MEL, PoolConfig.of(melBytes, 10, 20),
            Pool.AUDIO, PoolConfig.of(audioBytes, 5, 15),
            Pool.ENCODER, PoolConfig.of(encoderBytes, 5, 15),
            Pool.CROSS_KV, PoolConfig.of(kvBytes, kvInitial, kvMost)),
        Duration.ofMinutes(2),
        Duration.ofHours(1),
        Duration.ofSeconds(30),
        false);
  }
}
