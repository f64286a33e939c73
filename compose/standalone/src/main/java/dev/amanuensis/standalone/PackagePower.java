package dev.amanuensis.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Energy that the processor's package has used (RAPL), where the kernel lets this user read it. Its
 * counter wraps within minutes under load, so it must be sampled more often than that.
 */
final class PackagePower {
  private final Path folder;
  private final long range;
  private final long begun = System.nanoTime();
  private long last;
  private long used;

  PackagePower() {
    this(Path.of("/sys/class/powercap/intel-rapl:0"));
  }

  PackagePower(Path folder) {
    this.folder = folder;
    this.range = read("max_energy_range_uj");
    this.last = read("energy_uj");
  }

  /** Takes note of what was used since the last call. */
  void sample() {
    long now = read("energy_uj");
    if (now < 0 || last < 0) {
      last = -1;
      return;
    }
    used += now >= last ? now - last : now - last + Math.max(0, range);
    last = now;
  }

  /** Microjoules since this object was made; -1 if they can't be read. */
  long energy() {
    sample();
    return last < 0 ? -1 : used;
  }

  /** Mean watts since this object was made; NaN if they can't be read. */
  double watts() {
    long energy = energy();
    return energy < 0 ? Double.NaN : energy * 1e-6 / ((System.nanoTime() - begun) * 1e-9);
  }

  /** For people. */
  String text() {
    double watts = watts();
    if (!Double.isNaN(watts)) {
      return "%.1f W in the package".formatted(watts);
    }
    return Files.exists(folder.resolve("energy_uj"))
        ? "power can't be read: needs root"
        : "power can't be read: no RAPL here";
  }

  private long read(String name) {
    try {
      return Long.parseLong(Files.readString(folder.resolve(name)).strip());
    } catch (IOException | NumberFormatException e) {
      return -1;
    }
  }
}
