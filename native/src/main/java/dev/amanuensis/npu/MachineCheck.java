package dev.amanuensis.npu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the kernel shows of an NPU: device, driver, firmware, device file, limits. Opens nothing.
 */
final class MachineCheck {
  private static final String AMD = "0x1022";
  private static final String XDNA2 = "0x17f0";
  private static final List<String> XDNA1 = List.of("0x1502");

  /** Weights, and for four windows inputs and int32 sums, all of it locked. */
  private static final long LOCKED_BYTES = 128L << 20;

  private final Path root;

  /**
   * @param root of the file system; another one in tests
   */
  MachineCheck(Path root) {
    this.root = root;
  }

  List<Finding> run() throws IOException {
    List<Finding> findings = new ArrayList<>();
    Path device = pciDevice(findings);
    findings.add(driver(device));
    findings.add(firmware(device));
    findings.add(deviceFile());
    findings.add(memlock());
    return findings;
  }

  private Path pciDevice(List<Finding> findings) throws IOException {
    Path buses = root.resolve("sys/bus/pci/devices");
    Path older = null;
    if (Files.isDirectory(buses)) {
      try (DirectoryStream<Path> devices = Files.newDirectoryStream(buses)) {
        for (Path d : devices) {
          if (!text(d.resolve("vendor")).equals(AMD)) {
            continue;
          }
          String id = text(d.resolve("device"));
          if (id.equals(XDNA2)) {
            findings.add(
                Finding.ok(
                    "device",
                    "XDNA2 at %s, revision %s"
                        .formatted(d.getFileName(), text(d.resolve("revision")))));
            return d;
          }
          older = XDNA1.contains(id) ? d : older;
        }
      }
    }
    findings.add(
        older != null
            ? Finding.bad(
                "device",
                "XDNA1 at " + older.getFileName(),
                "the programs are for XDNA2 (Ryzen AI 300 and newer); use device=cpu here")
            : Finding.bad(
                "device",
                "no PCI device 1022:17f0",
                "this machine has no XDNA2 NPU, or it is switched off in the firmware setup (IPU,"
                    + " NPU); in a virtual machine or container it must be passed through"));
    return null;
  }

  private Finding driver(Path device) throws IOException {
    String kernel = text(root.resolve("proc/sys/kernel/osrelease"));
    Path module = root.resolve("sys/module/amdxdna");
    if (!Files.isDirectory(module)) {
      return Finding.bad(
          "driver",
          "amdxdna is not loaded (kernel " + kernel + ")",
          "modprobe amdxdna; it is in Linux 6.14 and newer, or in AMD's DKMS package xrt-amdxdna");
    }
    String version = text(module.resolve("version"));
    String found = "amdxdna%s, kernel %s".formatted(version.isEmpty() ? "" : " " + version, kernel);
    if (device != null && !Files.exists(device.resolve("driver"))) {
      return Finding.bad(
          "driver",
          found + ", not bound to the device",
          "see dmesg | grep amdxdna: usually the firmware file is missing");
    }
    String limit = text(module.resolve("parameters/tdr_timeout_ms"));
    return limit.equals("0")
        ? Finding.warn(
            "driver", found + ", tdr_timeout_ms=0", "a hung command is never reset: set it to 2000")
        : Finding.ok("driver", found);
  }

  private Finding firmware(Path device) throws IOException {
    String running = device == null ? "" : text(device.resolve("fw_version"));
    List<String> files = new ArrayList<>();
    Path folder = root.resolve("lib/firmware/amdnpu");
    if (Files.isDirectory(folder)) {
      try (Stream<Path> all = Files.walk(folder, 2)) {
        all.filter(p -> p.getFileName().toString().startsWith("npu"))
            .forEach(p -> files.add(folder.relativize(p).toString()));
      }
    }
    files.removeIf(f -> !f.startsWith("17f0"));
    if (!running.isEmpty()) {
      return Finding.ok("firmware", running + " is running");
    }
    return files.isEmpty()
        ? Finding.bad(
            "firmware",
            "no amdnpu/17f0_* in /lib/firmware",
            "install linux-firmware (Debian: firmware-amd-graphics or firmware-misc-nonfree) and"
                + " reload amdxdna")
        : Finding.ok("firmware", "on disk: " + String.join(", ", files.stream().sorted().toList()));
  }

  private Finding deviceFile() {
    Path file = root.resolve("dev/accel/accel0");
    if (!Files.exists(file)) {
      return Finding.bad(
          "device file",
          "/dev/accel/accel0 is missing",
          "load the driver; in a container pass it in (--device /dev/accel/accel0)");
    }
    if (Files.isReadable(file) && Files.isWritable(file)) {
      return Finding.ok("device file", "/dev/accel/accel0 can be opened");
    }
    String group = "render";
    try {
      group = Files.getAttribute(file, "unix:gid").toString();
      group =
          Files.readAttributes(file, java.nio.file.attribute.PosixFileAttributes.class)
              .group()
              .getName();
    } catch (IOException | UnsupportedOperationException e) {
      // the usual one, or its number
    }
    return Finding.bad(
        "device file",
        "/dev/accel/accel0 may not be opened by " + System.getProperty("user.name"),
        "usermod -aG %s %s, then log in again".formatted(group, System.getProperty("user.name")));
  }

  private Finding memlock() throws IOException {
    for (String line : text(root.resolve("proc/self/limits")).split("\n")) {
      if (line.startsWith("Max locked memory")) {
        String soft = line.substring("Max locked memory".length()).trim().split("\\s+")[0];
        String found = soft.equals("unlimited") ? soft : soft + " bytes";
        return soft.equals("unlimited") || Long.parseLong(soft) >= LOCKED_BYTES
            ? Finding.ok("locked memory", found)
            : Finding.bad(
                "locked memory",
                found + ", needed are " + LOCKED_BYTES,
                "ulimit -l unlimited; LimitMEMLOCK=infinity in a systemd unit; --ulimit memlock=-1"
                    + " for a container (else the device looks absent)");
      }
    }
    return Finding.warn("locked memory", "the limit can't be read", "see ulimit -l");
  }

  private static String text(Path file) throws IOException {
    try {
      return Files.isReadable(file) && !Files.isDirectory(file)
          ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip()
          : "";
    } catch (IOException e) {
      return ""; // some files of /sys answer with an error when the device sleeps
    }
  }
}
