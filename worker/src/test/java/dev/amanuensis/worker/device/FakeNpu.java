package dev.amanuensis.worker.device;

import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuOptions;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.npu.NpuManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** An NPU on the fake XRT that native's tests build; absent where XRT's headers were not found. */
public final class FakeNpu {
  public static final Path XRT =
      Path.of("../native/target/native/xrt_fake/libxrt_coreutil.so.2").toAbsolutePath();

  private FakeNpu() {}

  public static boolean isBuilt() {
    return NpuDevice.backend().isPresent() && Files.isRegularFile(XRT);
  }

  /** Writes compiled programs, as far as the fake needs them. */
  public static Path artifacts(Path folder) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("../native/src/test/xrt_fake/make-artifacts", folder.toString())
            .inheritIO()
            .start();
    if (process.waitFor() != 0) {
      throw new IOException("make-artifacts failed");
    }
    return folder;
  }

  /**
   * A device that takes every window and is tried again soon after a fault.
   *
   * @param checked whether its sums are held against the CPU's
   */
  public static NpuDevice open(Path artifacts, boolean checked) throws IOException {
    return open(artifacts, checked, 64, false);
  }

  /** A device as a worker has it by default: windows go to the CPU where that is faster. */
  public static NpuDevice openSpilling(Path artifacts) throws IOException {
    return open(artifacts, true, 4, true);
  }

  private static NpuDevice open(Path artifacts, boolean checked, int maxWindows, boolean spill)
      throws IOException {
    return NpuDevice.open(
        new NpuOptions(
            XRT,
            NpuManifest.read(artifacts).programs(),
            Duration.ofSeconds(6),
            Duration.ofMillis(20),
            maxWindows,
            checked ? 16 : 0,
            checked,
            false,
            spill));
  }

  /**
   * What shall go wrong from now on, written into the fake's control file as an operator would;
   * native/src/test/xrt_fake/fake.h has the names.
   */
  public static void faults(String faults) throws IOException {
    String control = System.getenv("XRT_FAKE_CONTROL");
    if (control == null) {
      throw new IllegalStateException("XRT_FAKE_CONTROL is not set: worker/pom.xml sets it");
    }
    Path file = Path.of(control);
    Path written = Files.writeString(file.resolveSibling(file.getFileName() + ".new"), faults);
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  public static boolean isReady(NpuDevice device) {
    return device.statistics().state() == NpuStatistics.State.READY;
  }

  public static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("waited for a minute: " + what);
      }
      Thread.sleep(5);
    }
  }
}
