package dev.amanuensis.npu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
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

  /** What the driver locks: its heap, then for each session the weights and a slot per window. */
  private static final long HEAP_BYTES = 64L << 20;

  private static final long WEIGHTS_BYTES = 22L << 20;
  private static final long SLOT_BYTES = 16L << 20;

  /** One in use, and as many as may be in quarantine. */
  private static final int SESSIONS = 3;

  private static final int WINDOWS = Math.max(4, Runtime.getRuntime().availableProcessors());

  /** Who may open the device's file. */
  interface Access {
    boolean mayOpen(Path file);

    String groupOf(Path file) throws IOException;
  }

  private static final Access THIS_USERS =
      new Access() {
        @Override
        public boolean mayOpen(Path file) {
          return Files.isReadable(file) && Files.isWritable(file);
        }

        @Override
        public String groupOf(Path file) throws IOException {
          return Files.readAttributes(file, PosixFileAttributes.class).group().getName();
        }
      };

  private final Path root;
  private final Access access;

  /**
   * @param root of the file system; another one in tests
   */
  MachineCheck(Path root) {
    this(root, THIS_USERS);
  }

  MachineCheck(Path root, Access access) {
    this.root = root;
    this.access = access;
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
    if (access.mayOpen(file)) {
      return Finding.ok("device file", "/dev/accel/accel0 can be opened");
    }
    String user = System.getProperty("user.name");
    String group;
    try {
      group = access.groupOf(file);
    } catch (IOException | UnsupportedOperationException e) {
      group = "render"; // the usual one
    }
    boolean nobodys = group.equals("root");
    String join =
        "usermod -aG %s %s, then log in again".formatted(nobodys ? "render" : group, user);
    return Finding.bad(
        "device file",
        "/dev/accel/accel0 belongs to group %s and may not be opened by %s".formatted(group, user),
        nobodys
            ? "XRT's udev rule is missing: put SUBSYSTEM==\"accel\", GROUP=\"render\", MODE=\"0660\""
                + " into /etc/udev/rules.d/70-accel.rules, run udevadm control --reload and udevadm"
                + " trigger; "
                + join
            : join);
  }

  private Finding memlock() throws IOException {
    for (String line : text(root.resolve("proc/self/limits")).split("\n")) {
      if (line.startsWith("Max locked memory")) {
        String soft = line.substring("Max locked memory".length()).trim().split("\\s+")[0];
        return soft.equals("unlimited")
            ? Finding.ok("locked memory", soft)
            : memlock(Long.parseLong(soft));
      }
    }
    return Finding.warn("locked memory", "the limit can't be read", "see ulimit -l");
  }

  private static Finding memlock(long bytes) {
    String mend =
        "ulimit -l unlimited; LimitMEMLOCK=infinity in a systemd unit; --ulimit memlock=-1 for a"
            + " container (else the device looks absent)";
    long least = HEAP_BYTES + WEIGHTS_BYTES + SLOT_BYTES;
    long enough = HEAP_BYTES + SESSIONS * (WEIGHTS_BYTES + WINDOWS * SLOT_BYTES);
    if (bytes < least) {
      return Finding.bad(
          "locked memory", "%d bytes, one window needs %d".formatted(bytes, least), mend);
    }
    return bytes >= enough
        ? Finding.ok("locked memory", bytes + " bytes")
        : Finding.warn(
            "locked memory",
            "%d bytes; %d windows and what may be in quarantine need %d"
                .formatted(bytes, WINDOWS, enough),
            mend);
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
