package dev.amanuensis.chaos;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.device.DeviceStatistics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A device that answers nothing while a file exists; an interrupt does not help. Thread-safe. */
final class HangingDevice implements Device {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Device device;
  private final Path hang;

  HangingDevice(Device device, Path hang) {
    this.device = device;
    this.hang = hang;
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
  public DeviceStatistics statistics() {
    return device.statistics();
  }

  @Override
  public Lane newLane() {
    Lane lane = device.newLane();
    return new Lane() {
      @Override
      public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
        while (Files.exists(hang)) {
          LockSupport.parkNanos(LOOK_NANOS);
        }
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
    };
  }

  @Override
  public void close() {
    device.close();
  }
}
