package dev.amanuensis.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Energy that the processor's package has used (RAPL), where the kernel lets this user read it. */
final class PackagePower {
  private static final Path ENERGY = Path.of("/sys/class/powercap/intel-rapl:0/energy_uj");

  private final long energy = energy();
  private final long nanos = System.nanoTime();

  /** Mean watts since this object was made; NaN if they can't be read. */
  double watts() {
    long now = energy();
    return energy < 0 || now < energy
        ? Double.NaN
        : (now - energy) * 1e-6 / ((System.nanoTime() - nanos) * 1e-9);
  }

  private static long energy() {
    try {
      return Long.parseLong(Files.readString(ENERGY).strip());
    } catch (IOException | NumberFormatException e) {
      return -1;
    }
  }
}
