package dev.amanuensis.worker.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The alert rules on made-up series, as Prometheus itself evaluates them. */
class AlertRulesTest {
  private static final Path DIRECTORY = Path.of("../compose/prometheus");

  private static Set<String> found(String pattern, Path file) throws Exception {
    Set<String> names = new TreeSet<>();
    Matcher m = Pattern.compile(pattern).matcher(Files.readString(file));
    while (m.find()) {
      names.add(m.group(1));
    }
    return names;
  }

  @Test
  void eachAlertHasASeriesThatItFiresOnAndOneThatItDoesNot() throws Exception {
    Set<String> alerts = found("- alert: (\\w+)", DIRECTORY.resolve("alerts.yml"));
    Path tests = DIRECTORY.resolve("alerts_test.yml");
    assertThat(found("alertname: (\\w+)\\n +exp_alerts:", tests)).isEqualTo(alerts);
    assertThat(found("alertname: (\\w+)}", tests)).isEqualTo(alerts);
  }

  @Test
  void alertsFireOnFaultsAndNotOnAHealthyFleet() throws Exception {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(dir -> Files.isExecutable(Path.of(dir, "promtool"))),
        "no promtool on the PATH (Debian: apt install prometheus)");
    Process promtool =
        new ProcessBuilder("promtool", "test", "rules", "alerts_test.yml")
            .directory(DIRECTORY.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(promtool.waitFor()).as(said).isZero();
  }
}
