package dev.amanuensis.worker.device;

import dev.amanuensis.engine.CpuInfo;
import dev.amanuensis.engine.EncoderLane;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuStatistics;
import java.util.Optional;

/**
 * The cores: always there. Each lane runs a window on its own thread, and on cores where nothing
 * else of the engine computes: a window that is alone has them all. Where the engine has an NPU,
 * the lanes hand their products to it.
 */
public final class CpuDevice implements Device {
  /** Multiplications and additions of Whisper base's encoder for a window. */
  private static final double OPERATIONS = 87.4e9;

  private final Engine engine;
  private final int lanes;
  private final String description;
  private final DeviceMeter meter = new DeviceMeter();

  /**
   * @param model closed by its owner, after this
   * @param lanes windows side by side
   */
  public CpuDevice(EngineModel model, int lanes) {
    this.engine = model.engine();
    this.lanes = lanes;
    CpuInfo cpu = Engine.cpu();
    String npu = engine.npu().map(n -> "xdna2 " + n.statistics().name()).orElse("").strip();
    this.description = (npu.isEmpty() ? "" : npu + ", ") + "cpu " + cpu.dnnlIsa();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public boolean simulated() {
    return false;
  }

  @Override
  public boolean onCores() {
    return engine.npu().isEmpty();
  }

  @Override
  public int lanes() {
    return lanes;
  }

  @Override
  public Lane newLane() {
    return new CpuLane(engine.newLane(Runtime.getRuntime().availableProcessors()));
  }

  @Override
  public DeviceStatistics statistics() {
    long retried = engine.npu().map(n -> n.statistics().cpuProducts()).orElse(0L);
    return meter.statistics(this, lanes, retried, OPERATIONS, 0);
  }

  @Override
  public Optional<NpuStatistics> npu() {
    return engine.npu().map(NpuDevice::statistics);
  }

  @Override
  public void close() {}

  private final class CpuLane implements Lane {
    private final EncoderLane lane;

    CpuLane(EncoderLane lane) {
      this.lane = lane;
    }

    @Override
    public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
      long started = System.nanoTime();
      boolean failed = true;
      try {
        lane.encode(mel, contentFrames, states);
        failed = false;
      } finally {
        meter.add(System.nanoTime() - started, failed);
      }
    }

    @Override
    public boolean thinsPadding(int contentFrames) {
      return lane.thinsPadding(contentFrames);
    }

    @Override
    public void crossKv(NativeBuffer states, int contentFrames, NativeBuffer crossKv) {
      lane.crossKv(states, contentFrames, crossKv);
    }

    @Override
    public void close() {
      lane.close();
    }
  }
}
