package dev.amanuensis.worker.device;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.NpuStatistics;
import java.util.Optional;

/** What runs encoder windows. Thread-safe; its lanes belong to one thread each. */
public interface Device extends AutoCloseable {
  /** What every transcript, the log and the health page say, for example {@code cpu avx2}. */
  String description();

  /** Whether its results are not real. */
  boolean simulated();

  /** Whether its lanes compute on the cores that decode, too. */
  boolean onCores();

  /** Host lanes that keep it busy. */
  int lanes();

  /** Scratch memory for one window at a time. */
  Lane newLane();

  DeviceStatistics statistics();

  /** What its NPU has done; empty if it has none. */
  default Optional<NpuStatistics> npu() {
    return Optional.empty();
  }

  /** Once all lanes are closed. */
  @Override
  void close();

  /**
   * One window at a time, on one thread at a time. Both calls read and write the given memory in
   * place.
   */
  interface Lane extends AutoCloseable {
    /**
     * Returns when it is done, interrupted or not: the device uses the memory until then.
     *
     * @param mel mels x 3000 f32
     * @param contentFrames of it before padding and silence
     * @param states out: encoder states, 1500 x state f32
     */
    void encode(NativeBuffer mel, int contentFrames, NativeBuffer states);

    /**
     * Whether {@link #encode} approximates the padding of such a window rather than compute it.
     * With contentFrames 3000 nothing is.
     */
    boolean thinsPadding(int contentFrames);

    /**
     * @param states as {@link #encode} left them; not needed afterwards
     * @param contentFrames as given to it
     * @param crossKv out: in the decoder's own layout
     */
    void crossKv(NativeBuffer states, int contentFrames, NativeBuffer crossKv);

    @Override
    void close();
  }
}
