package dev.amanuensis.worker.device;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.NpuStatistics;
import java.util.Optional;

/**
 * Hands every call to another device, which it closes; for devices that differ from it in little.
 */
public class ForwardingDevice implements Device {
  private final Device device;

  protected ForwardingDevice(Device device) {
    this.device = device;
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public boolean simulated() {
    return device.simulated();
  }

  @Override
  public boolean onCores() {
    return device.onCores();
  }

  @Override
  public int lanes() {
    return device.lanes();
  }

  @Override
  public Lane newLane() {
    return device.newLane();
  }

  @Override
  public DeviceStatistics statistics() {
    return device.statistics();
  }

  @Override
  public Optional<NpuStatistics> npu() {
    return device.npu();
  }

  @Override
  public void close() {
    device.close();
  }

  /** The same for a lane. */
  public static class ForwardingLane implements Lane {
    private final Lane lane;

    protected ForwardingLane(Lane lane) {
      this.lane = lane;
    }

    @Override
    public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
      lane.encode(mel, contentFrames, states);
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
