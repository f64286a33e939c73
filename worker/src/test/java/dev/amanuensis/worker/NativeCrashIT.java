package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Whole workers, with the library that has hooks for tests: audio that crashes native code. */
@Timeout(600)
class NativeCrashIT {
  private static final Path HOOKED = Path.of("../native/target/native/hooked").toAbsolutePath();
  private static final Duration LIMIT = Duration.ofSeconds(400);
  private static final int GOOD = 100;
  private static final int MAX_ATTEMPTS = 3;

  /** As in the library's hooks.h. */
  private static final short[] CRASH = {21331, 18245, 22081, -12345, 21331, 18245, 22081, -12345};

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path data;

  private TestCluster cluster;

  @BeforeEach
  void start() throws Exception {
    assertThat(HOOKED.resolve("libamanuensis.so")).exists();
    cluster = new TestCluster(data);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private WorkerProcess worker(String id) throws IOException {
    Map<String, String> settings = new HashMap<>(cluster.settings(id));
    settings.put(Setting.DEVICE.key(), "simulated");
    settings.put(Setting.ADMIN_PORT.key(), "off");
    settings.put(Setting.MAX_ATTEMPTS.key(), Integer.toString(MAX_ATTEMPTS));
    return new WorkerProcess(
        settings,
        data.resolve(id + ".log"),
        PipelineWorker.class,
        List.of("-Damanuensis.native.dir=" + HOOKED));
  }

  @Test
  void segmentationFaultIsDeadLetteredAndEverythingElseIsRight() throws Exception {
    for (int i = 0; i < GOOD; i++) {
      if (i == 30) {
        submit("x-poison", Tones.wav(0, CRASH));
      }
      submit("x-" + i, Tones.wav(100 + i));
    }
    cluster.flush();
    int restarts;
    Map<String, Transcript> results = new TreeMap<>();
    try (WorkerProcess one = worker("one");
        WorkerProcess two = worker("two")) {
      List<Transcript> visible = cluster.await("x-", GOOD + 1, LIMIT);
      assertThat(visible).hasSize(GOOD + 1);
      visible.forEach(t -> results.put(t.getJobId(), t));
      restarts = one.restarts() + two.restarts();
    }
    assertThat(results).hasSize(GOOD + 1);
    assertThat(cluster.transcripts("x-")).hasSize(GOOD + 1);
    assertThat(results.remove("x-poison").getErrorCode()).isEqualTo("ATTEMPTS_EXHAUSTED");
    assertThat(results.values()).allMatch(t -> t.getStatus() == Status.COMPLETED);
    // The simulated text is a checksum of the log-mel: each sound has its own.
    assertThat(results.values()).extracting(Transcript::getText).doesNotHaveDuplicates();
    assertThat(cluster.deadLetters(l -> true))
        .extracting(DeadLetter::getJobId)
        .containsExactly("x-poison");
    assertThat(restarts).isBetween(2, MAX_ATTEMPTS);
    // The last attempt took a child with it, or two where the partition moved meanwhile.
    assertThat(crashReports())
        .hasSizeGreaterThan(restarts)
        .allMatch(report -> report.contains("SIGSEGV"));
  }

  /** Of the JVMs. */
  private List<String> crashReports() throws IOException {
    try (var files = Files.list(data)) {
      return files
          .filter(f -> f.getFileName().toString().contains(".crash"))
          .map(NativeCrashIT::read)
          .toList();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void submit(String id, byte[] audio) {
    cluster.submit(Topics.JOBS, TestCluster.job(id, audio));
  }
}
