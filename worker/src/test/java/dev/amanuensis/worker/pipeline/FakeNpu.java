package dev.amanuensis.worker.pipeline;

import com.sun.jna.NativeLibrary;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuOptions;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.npu.NpuManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** An NPU on the fake XRT that native's tests build; absent where XRT's headers were not found. */
final class FakeNpu {
  static final Path XRT =
      Path.of("../native/target/native/xrt_fake/libxrt_coreutil.so.2").toAbsolutePath();

  private FakeNpu() {}

  static boolean isBuilt() {
    return NpuDevice.backend().isPresent() && Files.isRegularFile(XRT);
  }

  /** Compiled programs, as far as the fake needs them. */
  static Path artifacts(Path folder) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("../native/src/test/xrt_fake/make-artifacts", folder.toString())
            .inheritIO()
            .start();
    if (process.waitFor() != 0) {
      throw new IOException("make-artifacts failed");
    }
    return folder;
  }

  /** One that comes back quickly. */
  static NpuDevice open(Path artifacts, int maxWindows) throws IOException {
    return NpuDevice.open(
        new NpuOptions(
            XRT,
            NpuManifest.read(artifacts).programs(),
            Duration.ofSeconds(6),
            Duration.ofMillis(20),
            maxWindows,
            16,
            true,
            false,
            false));
  }

  /** What shall go wrong from now on; see native/src/test/xrt_fake/fake.h. */
  static void faults(String faults) {
    NativeLibrary.getInstance(XRT.toString())
        .getFunction("xrt_fake_faults")
        .invoke(new Object[] {faults});
  }

  /** Recovery may fail in a second way after the first; it runs in the background. */
  static void awaitFault(NpuDevice device, String kind) throws InterruptedException {
    for (int i = 0; i < 250 && !kind.isEmpty() && !device.statistics().kind().equals(kind); i++) {
      Thread.sleep(20);
    }
  }

  static void awaitReady(NpuDevice device) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (device.statistics().state() != NpuStatistics.State.READY) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("the NPU does not come back: " + device.statistics());
      }
      Thread.sleep(20);
    }
  }
}
