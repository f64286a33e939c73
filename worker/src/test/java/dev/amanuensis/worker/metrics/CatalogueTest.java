package dev.amanuensis.worker.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The page says what the code says. With UPDATE_DOCS=1 in the environment it is written anew. */
class CatalogueTest {
  private static final Path PAGE = Path.of("../docs/metrics.md");
  private static final String BEGIN = "<!-- catalogue -->\n";
  private static final String END = "<!-- /catalogue -->";

  private static String table() {
    return Arrays.stream(Meters.values())
        .map(
            m ->
                "| `%s` | %s | %s | %s |\n"
                    .formatted(
                        m.exposed(),
                        m.type().name().toLowerCase(Locale.ROOT),
                        m.labels().isEmpty() ? "" : "`" + String.join("`, `", m.labels()) + "`",
                        m.meaning()))
        .collect(
            Collectors.joining("", "| name | type | labels | meaning |\n|---|---|---|---|\n", ""));
  }

  @Test
  void thePageHasEveryMeterAsTheCatalogueHasIt() throws Exception {
    String page = Files.readString(PAGE);
    int begin = page.indexOf(BEGIN) + BEGIN.length();
    int end = page.indexOf(END);
    if (System.getenv("UPDATE_DOCS") != null) {
      Files.writeString(PAGE, page.substring(0, begin) + table() + page.substring(end));
      return;
    }
    assertThat(page.substring(begin, end)).isEqualTo(table());
  }

  @Test
  void everyQueryOnThePageNamesAMeter() throws Exception {
    assertThat(namesIn(Files.readString(PAGE))).isSubsetOf(exposedNames());
  }

  @Test
  void namesAreUniqueAndDescribed() {
    assertThat(Arrays.stream(Meters.values()).map(Meters::exposed)).doesNotHaveDuplicates();
    assertThat(Meters.values()).allSatisfy(m -> assertThat(m.meaning()).isNotBlank());
  }

  /** Names of series in a text. */
  static Set<String> namesIn(String text) {
    Set<String> names = new TreeSet<>();
    Matcher m = Pattern.compile("\\bamanuensis_[a-z0-9_]+").matcher(text);
    while (m.find()) {
      names.add(m.group());
    }
    return names;
  }

  /** Names of series that a worker may serve. */
  static Set<String> exposedNames() {
    Set<String> names = new TreeSet<>();
    for (Meters m : Meters.values()) {
      names.add(m.exposed());
      if (m.type() == Meters.Type.TIMER || m.type() == Meters.Type.SUMMARY) {
        for (String part : new String[] {"_bucket", "_count", "_sum", "_max"}) {
          names.add(m.exposed() + part);
        }
      }
    }
    return names;
  }
}
