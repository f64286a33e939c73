package dev.amanuensis.standalone;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the kernel has suspended the NPU. */
final class RuntimeStatus {
  private RuntimeStatus() {}

  /**
   * As the kernel calls it: active, suspended, …; unknown if there is no NPU.
   *
   * @param buses the kernel's folder of PCI devices
   */
  static String of(Path buses) {
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(buses)) {
      for (Path device : devices) {
        if (text(device.resolve("vendor")).equals("0x1022")
            && text(device.resolve("device")).equals("0x17f0")) {
          return text(device.resolve("power/runtime_status"));
        }
      }
    } catch (IOException e) {
      // as if there were none
    }
    return "unknown";
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file).strip();
  }
}
