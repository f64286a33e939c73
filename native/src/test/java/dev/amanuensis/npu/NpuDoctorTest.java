package dev.amanuensis.npu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.amanuensis.engine.NpuDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpuDoctorTest {
  private static final Path FAKE_XRT =
      Path.of("target/native/xrt_fake/libxrt_coreutil.so.2").toAbsolutePath();

  @TempDir Path root;
  @TempDir Path artifacts;

  private void put(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  /** A machine on which everything is as it should be. */
  private void healthyMachine() throws IOException {
    String device = "sys/bus/pci/devices/0000:c5:00.1/";
    put(device + "vendor", "0x1022\n");
    put(device + "device", "0x17f0\n");
    put(device + "revision", "0x10\n");
    put(device + "driver/module", "");
    put("sys/module/amdxdna/version", "2.21.0\n");
    put("proc/sys/kernel/osrelease", "6.17.0\n");
    put("lib/firmware/amdnpu/17f0_10/npu.sbin", "");
    put("dev/accel/accel0", "");
    put("proc/self/limits", "Max locked memory         unlimited            unlimited   bytes\n");
  }

  private Map<String, Finding> examine(Path xrt) throws IOException {
    return new NpuDoctor(root, artifacts, xrt)
        .examine().stream().collect(Collectors.toMap(Finding::check, f -> f));
  }

  private static void isBad(Finding finding, String mend) {
    assertEquals(Finding.Grade.BAD, finding.grade(), finding.toString());
    assertTrue(finding.mend().contains(mend), finding.toString());
  }

  @Test
  void anOrdinaryMachineIsToldWhatIsMissing() throws IOException {
    Map<String, Finding> findings = examine(Path.of("/nowhere/libxrt_coreutil.so.2"));
    isBad(findings.get("device"), "no XDNA2 NPU");
    isBad(findings.get("driver"), "modprobe amdxdna");
    isBad(findings.get("firmware"), "linux-firmware");
    isBad(findings.get("device file"), "/dev/accel/accel0");
    isBad(findings.get("programs"), "build-artifacts");
    assertEquals(Finding.Grade.SKIPPED, findings.get("known answers").grade());
  }

  @Test
  void aHealthyMachineHasNothingToMend() throws Exception {
    assumeTrue(NpuDevice.backend().isPresent(), "built without XRT's headers");
    healthyMachine();
    make();
    for (Finding f : new NpuDoctor(root, artifacts, FAKE_XRT).examine()) {
      assertEquals(Finding.Grade.OK, f.grade(), f.toString());
    }
  }

  private void make() throws Exception {
    Process made =
        new ProcessBuilder("src/test/xrt_fake/make-artifacts", artifacts.toString()).start();
    assertEquals(0, made.waitFor());
  }

  @Test
  void aMissingXrtIsNamed() throws Exception {
    assumeTrue(NpuDevice.backend().isPresent(), "built without XRT's headers");
    healthyMachine();
    make();
    Map<String, Finding> findings = examine(Path.of("/nowhere/libxrt_coreutil.so.2"));
    isBad(findings.get("XRT"), "libxrt2");
    assertEquals(Finding.Grade.SKIPPED, findings.get("known answers").grade());
  }

  @Test
  void limitsOlderDevicesAndUnboundDriversAreSeen() throws IOException {
    healthyMachine();
    put("proc/self/limits", "Max locked memory         8388608            8388608    bytes\n");
    put("sys/bus/pci/devices/0000:c5:00.1/device", "0x1502\n");
    put("sys/module/amdxdna/parameters/tdr_timeout_ms", "0\n");
    Map<String, Finding> findings = examine(null);
    isBad(findings.get("locked memory"), "ulimit -l");
    isBad(findings.get("device"), "XDNA2");
    assertEquals(Finding.Grade.WARN, findings.get("driver").grade());
    assertFalse(List.copyOf(findings.values()).isEmpty());
  }
}
