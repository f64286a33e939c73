package dev.amanuensis.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * An XDNA2 NPU behind XRT. Lanes made over it give their products to it; what it fails at they
 * compute themselves, with the same bits. For all threads.
 */
public final class NpuDevice implements AutoCloseable {
  private static final int OPTIONS_BYTES = 56;
  private static final int STATISTICS_BYTES = 936;

  private final NativeHandle handle;

  private NpuDevice(NativeHandle handle) {
    this.handle = handle;
  }

  /** The backend's library, or empty if this build has none. */
  public static Optional<Path> backend() {
    return NativeLoader.xdna2Backend();
  }

  /**
   * Opens the device and puts the known questions to it.
   *
   * @throws EngineException UNSUPPORTED, with the reason and a hint for the operator
   */
  public static NpuDevice open(NpuOptions o) {
    String programs = o.programs().stream().map(NpuProgram::line).collect(Collectors.joining("\n"));
    try (NativeBuffer backend = text(backend().map(Path::toString).orElse(""));
        NativeBuffer xrt = text(o.xrtLibrary() == null ? "" : o.xrtLibrary().toString());
        NativeBuffer lines = text(programs);
        NativeBuffer options = NativeBuffer.allocate(OPTIONS_BYTES);
        NativeBuffer out = NativeBuffer.allocate(Long.BYTES)) {
      options
          .bytes()
          .putInt(0, OPTIONS_BYTES)
          .putInt(4, Math.toIntExact(o.timeout().toMillis()))
          .putInt(8, Math.toIntExact(o.probe().toMillis()))
          .putInt(12, o.maxWindows())
          .putInt(16, o.checkEvery())
          .putInt(20, o.rowChecks() ? 1 : 0)
          .putInt(24, o.keepTrying() ? 1 : 0)
          .putInt(28, o.spill() ? 1 : 0)
          .putLong(32, backend.address())
          .putLong(40, xrt.address())
          .putLong(48, lines.address());
      Abi.check(Abi.am_device_open(options.address(), out.address()));
      return new NpuDevice(
          new NativeHandle("the NPU", out.bytes().getLong(0), false, Abi::am_device_close));
    }
  }

  private static NativeBuffer text(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    NativeBuffer buffer = NativeBuffer.allocate(bytes.length + 1L);
    buffer.bytes().put(bytes).put((byte) 0);
    return buffer;
  }

  long enter() {
    return handle.enter();
  }

  void exit() {
    handle.exit();
  }

  public NpuStatistics statistics() {
    long device = handle.enter();
    try (NativeBuffer buffer = NativeBuffer.allocate(STATISTICS_BYTES)) {
      ByteBuffer in = buffer.bytes();
      in.putInt(0, STATISTICS_BYTES);
      Abi.check(Abi.am_device_get_stats(device, buffer.address()));
      return new NpuStatistics(
          NpuStatistics.State.values()[in.getInt(4)],
          in.getInt(8),
          in.getInt(12),
          in.getInt(16),
          in.getLong(24),
          in.getLong(32),
          in.getLong(40),
          Duration.ofNanos(in.getLong(48)),
          Duration.ofNanos(in.getLong(56)),
          in.getLong(64),
          in.getLong(72),
          in.getLong(80),
          in.getLong(88),
          in.getLong(96),
          in.getLong(104),
          in.getLong(112),
          in.getLong(120),
          in.getLong(128),
          in.getDouble(136),
          in.getDouble(144),
          Memory.string(in, 152, 32),
          Memory.string(in, 184, 256),
          Memory.string(in, 440, 256),
          Memory.string(in, 696, 64),
          Memory.string(in, 760, 160),
          in.getLong(920),
          in.getLong(928));
    } finally {
      handle.exit();
    }
  }

  /**
   * Mean time of a product on the device alone.
   *
   * @throws EngineException UNSUPPORTED if the device is down or has no program for it
   */
  public Duration time(long m, long k, long n, int repeats) {
    long device = handle.enter();
    try (NativeBuffer out = NativeBuffer.allocate(Double.BYTES)) {
      Abi.check(Abi.am_device_time(device, m, k, n, repeats, out.address()));
      return Duration.ofNanos(Math.round(out.bytes().getDouble(0) * 1e6));
    } finally {
      handle.exit();
    }
  }

  /** Lanes over it stay usable; they compute on the CPU. */
  @Override
  public void close() {
    handle.close();
  }
}
