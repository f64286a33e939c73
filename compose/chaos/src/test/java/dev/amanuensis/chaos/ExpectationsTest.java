package dev.amanuensis.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The audit has to notice what it is there for. */
class ExpectationsTest {
  private final Map<String, List<Audit.Seen>> results = new HashMap<>();

  private void result(String id, String status, String text) {
    results.put(id, List.of(new Audit.Seen(status, "one", text)));
  }

  private Expectations check() throws IOException {
    ChaosOptions options =
        new ChaosOptions(
            4_002,
            1,
            0,
            1,
            1,
            1,
            Map.of(),
            false,
            List.of(),
            0,
            Duration.ofSeconds(1),
            Path.of("data"),
            Map.of());
    Expectations expectations = new Expectations(options, new Sounds(List.of(), 0));
    expectations.check(results);
    return expectations;
  }

  private void allRight() {
    for (int i = 0; i < 4_002; i++) {
      // 0 and 4000 are the same tone, 1 and 4001 too, and hums repeat
      result(Load.id(i), "COMPLETED", "text of " + sound(i));
    }
    result(Load.poisonId(0), "FAILED ATTEMPTS_EXHAUSTED", "");
  }

  private static String sound(int job) {
    return job % 100 == 7 ? "hum " + job % 300 : "tone " + job % 4_000;
  }

  @Test
  void nothingIsFoundWhereAllIsRight() throws IOException {
    allRight();
    Expectations found = check();
    assertThat(found.lost()).isEmpty();
    assertThat(found.wrong()).isEmpty();
    assertThat(found.poison()).containsExactly("poison-0");
  }

  @Test
  void jobsWithoutAResultAreLost() throws IOException {
    allRight();
    results.remove(Load.id(5));
    results.remove(Load.poisonId(0));
    assertThat(check().lost()).containsExactly(Load.id(5), Load.poisonId(0));
  }

  @Test
  void otherStatusesTextsAndIdsAreWrong() throws IOException {
    allRight();
    result(Load.id(3), "FAILED SOURCE_TIMEOUT", "");
    result(Load.id(4_000), "COMPLETED", "cut");
    result(Load.id(10), "COMPLETED", "text of tone 11");
    result(Load.id(12), "COMPLETED", " ");
    result("stranger", "COMPLETED", "text");
    assertThat(check().wrong())
        .hasSize(5)
        .anyMatch(w -> w.contains("SOURCE_TIMEOUT"))
        .anyMatch(w -> w.contains("elsewhere"))
        .anyMatch(w -> w.contains("has the text of tone-10"))
        .anyMatch(w -> w.contains("no text"))
        .anyMatch(w -> w.contains("nobody submitted"));
  }
}
