package dev.amanuensis.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.cli.CliException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunnerTest {
  private static final String ANSWERS =
      """
      echo '{"ready": {"versions": "engine 1", "isa": "'$LIMIT'"}}'
      while read -r files; do
        echo '{"seconds": 2.5, "results": [["a b", "en"], ["c", "fr"]]}'
      done
      """;

  @TempDir Path directory;

  private Runner start(String script, Map<String, String> environment) throws CliException {
    return new Runner("engine", List.of("sh", "-c", script), environment, directory.resolve("log"));
  }

  @Test
  void readsWhatTheEngineSaysOfItselfAndOfEveryFile() throws Exception {
    try (Runner runner = start(ANSWERS, Map.of("LIMIT", "avx2"))) {
      assertThat(runner.versions()).isEqualTo("engine 1");
      assertThat(runner.isa()).as("the environment reaches the engine").isEqualTo("avx2");
      Runner.Pass pass = runner.run(List.of(Path.of("1.wav"), Path.of("2.wav")));
      assertThat(pass.seconds()).isEqualTo(2.5);
      assertThat(pass.cpuSeconds()).isBetween(0.0, 5.0);
      assertThat(pass.texts()).containsExactly("a b", "c");
      assertThat(pass.languages()).containsExactly("en", "fr");
    }
  }

  @Test
  void countsWhatTheEnginesOwnProcessesTook() throws Exception {
    String answers =
        """
        echo '{"ready": {}}'
        read -r files
        echo '{"seconds": 1, "child_cpu_seconds": 40, "results": [["a", "en"]]}'
        read -r more
        """;
    try (Runner runner = start(answers, Map.of())) {
      assertThat(runner.run(List.of(Path.of("1.wav"))).cpuSeconds()).isBetween(40.0, 45.0);
    }
  }

  @Test
  void saysWhatAnEngineWroteBeforeItDied() {
    assertThatThrownBy(() -> start("echo 'no module named torch' >&2; exit 1", Map.of()))
        .isInstanceOf(CliException.class)
        .hasMessageContaining("engine stopped")
        .hasMessageContaining("no module named torch");
  }

  @Test
  void noticesADeathBetweenTwoPasses() throws Exception {
    try (Runner runner = start("echo '{\"ready\": {}}'; read -r files; exit 3", Map.of())) {
      assertThatThrownBy(() -> runner.run(List.of(Path.of("1.wav"))))
          .isInstanceOf(CliException.class);
    }
  }
}
