package dev.amanuensis.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** A whole run in small: three brokers and two workers in processes of their own. */
@Timeout(480)
class ChaosIT {
  /** With the logs of all processes: what failed can be read afterwards. */
  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path data;

  @Test
  void fiveHundredJobsAreAnsweredOnceThroughFaultsOfAllParts() throws Exception {
    Map<Fault, Integer> faults =
        Map.of(
            Fault.KILL,
            3,
            Fault.STOP,
            1,
            Fault.BROKER,
            1,
            Fault.REGISTRY,
            1,
            Fault.DISK,
            1,
            Fault.FETCH,
            1,
            Fault.HANG,
            1);
    ChaosOptions options =
        new ChaosOptions(
            500,
            1,
            5,
            2,
            3,
            17,
            faults,
            false,
            List.of(),
            0,
            Duration.ofSeconds(90),
            data,
            // Slow enough that there is work while a fault lasts.
            Map.of("device", "simulated", "device.simulated.window.micros", "60000"));
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    ChaosReport report =
        new ChaosRun(options, new PrintStream(log, true, StandardCharsets.UTF_8)).run();
    System.out.printf("%s%n%s", log, report.table());
    assertThat(report.ok()).as("%s%n%s", log, report.table()).isTrue();
    assertThat(report.answered()).isEqualTo(501);
    // Else the faults would have hit nothing.
    assertThat(report.restarts()).isGreaterThanOrEqualTo(6); // kills, the registry, poison
    assertThat(report.suspects()).isPositive();
    assertThat(report.lateFetches()).isPositive();
  }
}
