package dev.amanuensis.chaos;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.device.ForwardingDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A device that answers nothing while a file exists; an interrupt does not help. Thread-safe. */
final class HangingDevice extends ForwardingDevice {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Path hang;

  HangingDevice(Device device, Path hang) {
    super(device);
    this.hang = hang;
  }

  @Override
  public Lane newLane() {
    return new ForwardingLane(super.newLane()) {
      @Override
      public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
        while (Files.exists(hang)) {
          LockSupport.parkNanos(LOOK_NANOS);
        }
        super.encode(mel, contentFrames, states);
      }
    };
  }
}
