package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.standalone.Commands.Result;
import dev.amanuensis.worker.config.Setting;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the commands show while a worker is at work; its device is simulated and takes its time. */
@Timeout(180)
class LiveProgressIT {
  private static final int WINDOWS = 12;

  @TempDir static Path data;
  private static Fleet fleet;

  @BeforeAll
  static void start() throws Exception {
    Map<String, String> settings =
        Map.of(
            Setting.DEVICE.key(), "simulated",
            Setting.SIMULATED_WINDOW_MICROS.key(), "400000",
            Setting.PARTIAL_INTERVAL_MS.key(), "100",
            Setting.ADMIN_PORT.key(), "off",
            Setting.ALLOWED_ROOTS.key(), data.toRealPath().toString());
    fleet = Fleet.start(new Fleet.Plan(data.resolve("fleet"), 0, 0, settings));
  }

  @AfterAll
  static void stop() {
    fleet.close();
  }

  private static Result run(Object... words) {
    List<Object> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("-b", fleet.target().bootstrapServers()));
    all.addAll(List.of("--schema-registry", fleet.target().registryUrl()));
    return Commands.run(all.toArray());
  }

  @Test
  void followShowsSegmentsOfALongJobAsTheyBecomeFinal() throws Exception {
    Path root = data.toRealPath();
    Path file = Files.write(root.resolve("long.wav"), WaveFile.tone(1, 8_000, 30 * WINDOWS));
    CompletableFuture<Result> watch =
        CompletableFuture.supplyAsync(() -> run("watch", "--follow", "--max=1", "--format=json"));
    Thread.sleep(2_000); // it shows what comes from then on
    Result submitted = run("submit", "--file-root", root, file);
    assertThat(submitted.code()).as(submitted.err()).isEqualTo(ExitCodes.OK);
    String id = submitted.out().substring(0, submitted.out().indexOf('\t'));
    Result watched = watch.get(120, TimeUnit.SECONDS);
    assertThat(watched.code()).as(watched.err()).isEqualTo(ExitCodes.OK);
    List<String> lines = watched.out().lines().toList();
    List<String> segments = lines.subList(0, lines.size() - 1);
    assertThat(segments)
        .hasSizeGreaterThan(WINDOWS / 2)
        .allMatch(l -> l.contains("\"partial\":true") && l.contains(id))
        .doesNotHaveDuplicates();
    assertThat(lines.get(lines.size() - 1))
        .startsWith("{\"job_id\":\"" + id + "\",")
        .contains(file.toString(), "[simulated")
        .doesNotContain("\"partial\":true");
  }

  @Test
  void folderIsWaitedForAndSummedUp() throws Exception {
    Path folder = Files.createDirectories(data.resolve("folder"));
    for (int i = 0; i < 3; i++) {
      Files.write(folder.resolve("tone-" + i + ".wav"), WaveFile.tone(1, 16_000, 1 + i));
    }
    Files.write(folder.resolve("broken.wav"), "no audio".getBytes(StandardCharsets.UTF_8));
    CompletableFuture<Result> watch =
        CompletableFuture.supplyAsync(() -> run("watch", "--max=4", "--format=json"));
    Thread.sleep(2_000);
    Result result = run("submit", "--wait", "--timeout", "100", "--directory", folder);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.FAILED);
    assertThat(result.out().lines().filter(l -> l.contains("[simulated"))).hasSize(3);
    assertThat(result.err())
        .contains("broken.wav: AUDIO_UNREADABLE: ")
        .contains("3 of 4 files done, 1 failed; ")
        .contains("x realtime)");
    List<String> watched = watch.get(60, TimeUnit.SECONDS).out().lines().toList();
    assertThat(watched).hasSize(4).allMatch(l -> l.startsWith("{\"job_id\":\""));
    assertThat(watched)
        .filteredOn(l -> l.contains("\"status\":\"FAILED\",\"error_code\":\"AUDIO_UNREADABLE\""))
        .hasSize(1);
  }
}
