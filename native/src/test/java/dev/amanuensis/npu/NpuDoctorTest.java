package dev.amanuensis.npu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import dev.amanuensis.engine.NpuDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
    return new NpuDoctor(new MachineCheck(root), artifacts, xrt)
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
    for (Finding f : new NpuDoctor(new MachineCheck(root), artifacts, FAKE_XRT).examine()) {
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

  /** What the doctor says to somebody who may not open a device that is there. */
  private Finding outsider(String group) throws IOException {
    MachineCheck.Access none =
        new MachineCheck.Access() {
          @Override
          public boolean mayOpen(Path file) {
            return false;
          }

          @Override
          public String groupOf(Path file) {
            return group;
          }
        };
    return new MachineCheck(root, none)
        .run().stream().filter(f -> f.check().equals("device file")).findFirst().orElseThrow();
  }

  @Test
  void aUserOutsideTheDevicesGroupIsToldToJoinIt() throws IOException {
    healthyMachine();
    isBad(outsider("render"), "usermod -aG render " + System.getProperty("user.name"));
    isBad(outsider("video"), "usermod -aG video ");
  }

  @Test
  void nobodyIsToldToJoinTheGroupRoot() throws IOException {
    healthyMachine();
    isBad(outsider("root"), "udev");
    isBad(outsider("root"), "usermod -aG render ");
    assertFalse(outsider("root").mend().contains("-aG root"));
  }

  private Finding memlock(long bytes) throws IOException {
    put("proc/self/limits", "Max locked memory  %d  %d  bytes\n".formatted(bytes, bytes));
    return examine(null).get("locked memory");
  }

  @Test
  void memoryForOneWindowIsNotEnoughForAllAndTheirQuarantine() throws IOException {
    healthyMachine();
    assertEquals(Finding.Grade.BAD, memlock(64L << 20).grade());
    Finding some = memlock(128L << 20);
    assertEquals(Finding.Grade.WARN, some.grade(), some.toString());
    assertTrue(some.mend().contains("ulimit -l unlimited"), some.mend());
    assertEquals(Finding.Grade.OK, memlock(64L << 30).grade());
  }

  @Test
  void aDriverThatNeverAnswersDoesNotStopTheDoctor() throws Exception {
    assumeTrue(NpuDevice.backend().isPresent(), "built without XRT's headers");
    healthyMachine();
    make();
    Function faults = NativeLibrary.getInstance(FAKE_XRT.toString()).getFunction("xrt_fake_faults");
    try {
      faults.invoke(void.class, new Object[] {"stall:1"});
      Map<String, Finding> findings =
          assertTimeoutPreemptively(Duration.ofSeconds(60), () -> examine(FAKE_XRT));
      isBad(findings.get("known answers"), "did not answer in time");
      assertEquals(Finding.Grade.OK, findings.get("XRT").grade());
    } finally {
      faults.invoke(void.class, new Object[] {"release:-1"});
    }
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
