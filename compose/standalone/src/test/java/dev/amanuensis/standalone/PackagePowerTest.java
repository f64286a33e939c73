package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackagePowerTest {
  @TempDir Path rapl;

  private void counter(long microjoules) throws IOException {
    Files.writeString(rapl.resolve("energy_uj"), microjoules + "\n");
  }

  @Test
  void aCounterThatWrapsGoesOn() throws IOException {
    Files.writeString(rapl.resolve("max_energy_range_uj"), "1000000\n");
    counter(900_000);
    PackagePower power = new PackagePower(rapl);
    counter(950_000);
    power.sample();
    counter(20_000);
    power.sample();
    counter(30_000);
    assertThat(power.energy()).isEqualTo(50_000 + 70_000 + 10_000);
    assertThat(power.watts()).isPositive();
    assertThat(power.text()).contains("W in the package");
  }

  @Test
  void whatCannotBeReadIsSaid() throws IOException {
    assertThat(new PackagePower(rapl).text()).contains("no RAPL");
    counter(1);
    PackagePower power = new PackagePower(rapl);
    Files.writeString(rapl.resolve("energy_uj"), "");
    assertThat(power.watts()).isNaN();
    assertThat(power.text()).contains("needs root");
  }

  private void device(String address, String vendor, String status) throws IOException {
    Path power = Files.createDirectories(rapl.resolve(address).resolve("power"));
    Files.writeString(power.resolve("runtime_status"), status + "\n");
    Files.writeString(power.resolveSibling("vendor"), vendor + "\n");
    Files.writeString(power.resolveSibling("device"), "0x17f0\n");
  }

  @Test
  void theKernelSaysWhetherItSuspendedTheNpu() throws IOException {
    assertThat(RuntimeStatus.of(rapl.resolve("missing"))).isEqualTo("unknown");
    device("0000:00:00.0", "0x8086", "active");
    assertThat(RuntimeStatus.of(rapl)).isEqualTo("unknown");
    device("0000:c5:00.1", "0x1022", "suspended");
    assertThat(RuntimeStatus.of(rapl)).isEqualTo("suspended");
  }
}
