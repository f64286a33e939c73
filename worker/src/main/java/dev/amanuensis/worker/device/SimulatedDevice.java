package dev.amanuensis.worker.device;

import dev.amanuensis.engine.LogMel;
import dev.amanuensis.engine.NativeBuffer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;

/**
 * No device: a wait of a set time for each window, to measure the pipeline itself and to run many
 * jobs without a model. What it writes is a checksum of the log-mel, so that results depend on the
 * audio and on nothing else.
 */
public final class SimulatedDevice implements Device {
  /** One window in the device, one waiting for it, one on the host. */
  private static final int LANES = 3;

  /** Parking ends this much late now and then; the rest is spun. */
  private static final long SPIN_NANOS = 60_000;

  private final Duration service;
  private final DeviceMeter meter = new DeviceMeter();
  private final DeviceOwner owner = new DeviceOwner("device-simulated", meter);

  /**
   * @param service time of one window
   */
  public SimulatedDevice(Duration service) {
    this.service = service;
  }

  @Override
  public String description() {
    return "simulated (%s ms per window; the text is not a transcription)"
        .formatted(service.toNanos() / 1e6);
  }

  @Override
  public boolean simulated() {
    return true;
  }

  @Override
  public boolean onCores() {
    return false;
  }

  @Override
  public int lanes() {
    return LANES;
  }

  @Override
  public Lane newLane() {
    return new SimulatedLane();
  }

  @Override
  public DeviceStatistics statistics() {
    return meter.statistics(this, 1, 0, 0, 0);
  }

  @Override
  public void close() {
    owner.close();
  }

  private void serve(NativeBuffer mel, NativeBuffer states) {
    long end = System.nanoTime() + service.toNanos();
    CRC32 checksum = new CRC32();
    checksum.update(mel.bytes().limit((int) LogMel.WINDOW_BYTES)); // a slot is whole pages
    states.bytes().putInt(0, (int) checksum.getValue());
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      if (left > SPIN_NANOS) {
        LockSupport.parkNanos(left - SPIN_NANOS);
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private final class SimulatedLane implements Lane {
    @Override
    public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
      owner.run(() -> serve(mel, states));
    }

    @Override
    public boolean thinsPadding(int contentFrames) {
      return false;
    }

    @Override
    public void crossKv(NativeBuffer states, int contentFrames, NativeBuffer crossKv) {
      ByteBuffer from = states.bytes();
      crossKv.bytes().putInt(0, from.getInt(0));
    }

    @Override
    public void close() {}
  }
}
