package dev.amanuensis.worker.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dashboards and alerts ask for what workers have. That the queries give data is AdminIT's. */
class DashboardTest {
  private static final Path DASHBOARDS = Path.of("../compose/grafana/dashboards");
  private static final Path ALERTS = Path.of("../compose/prometheus/alerts.yml");
  private static final Pattern SERIES =
      Pattern.compile("\\b((?:amanuensis|jvm|process)_[a-z0-9_]+)");

  private static List<String> queries(Path dashboard) throws Exception {
    List<String> queries = new ArrayList<>();
    for (JsonNode panel : new ObjectMapper().readTree(dashboard.toFile()).path("panels")) {
      assertThat(panel.path("title").asText()).isNotBlank();
      assertThat(panel.path("description").asText()).isNotBlank();
      assertThat(panel.path("targets")).isNotEmpty();
      panel.path("targets").forEach(t -> queries.add(t.path("expr").asText()));
    }
    return queries;
  }

  private static void assertKnown(String query) {
    Matcher m = SERIES.matcher(query);
    int series = 0;
    while (m.find()) {
      series++;
      if (m.group(1).startsWith("amanuensis_")) {
        assertThat(CatalogueTest.exposedNames()).as(query).contains(m.group(1));
      }
    }
    assertThat(series).as(query).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pipeline", "delivery", "device", "fleet"})
  void panelsNameMetersOfTheCatalogue(String name) throws Exception {
    List<String> queries = queries(DASHBOARDS.resolve(name + ".json"));
    assertThat(queries).hasSizeGreaterThanOrEqualTo(8).allSatisfy(DashboardTest::assertKnown);
  }

  @Test
  void everyDashboardIsTested() throws Exception {
    try (Stream<Path> files = Files.list(DASHBOARDS)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("pipeline.json", "delivery.json", "device.json", "fleet.json");
    }
  }

  @Test
  void alertsNameMetersOfTheCatalogue() throws Exception {
    List<String> rules =
        Files.readAllLines(ALERTS).stream()
            .map(String::strip)
            .filter(l -> l.startsWith("expr:"))
            .toList();
    assertThat(rules).hasSizeGreaterThan(5).allSatisfy(DashboardTest::assertKnown);
  }

  @Test
  void whatTheOperatorIsToldToWatchHasAPanelOrAnAlert() throws Exception {
    StringBuilder all = new StringBuilder(Files.readString(ALERTS));
    for (String name : List.of("pipeline", "delivery", "device", "fleet")) {
      queries(DASHBOARDS.resolve(name + ".json")).forEach(all::append);
    }
    String page = Files.readString(Path.of("../docs/metrics.md"));
    String watched = page.substring(0, page.indexOf("## The catalogue"));
    assertThat(CatalogueTest.namesIn(all.toString())).containsAll(CatalogueTest.namesIn(watched));
  }
}
