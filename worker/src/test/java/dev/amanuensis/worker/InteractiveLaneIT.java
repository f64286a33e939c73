package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two whole workers with more bulk work than they can do in this test, and somebody who waits. */
@Timeout(300)
class InteractiveLaneIT {
  private static final int BULK = 2_000;
  private static final double WINDOW_MILLIS = 2_000;

  @TempDir Path data;

  private static Worker worker(TestCluster cluster, String id) throws Exception {
    Map<String, String> settings = new HashMap<>(cluster.settings(id));
    settings.put(Setting.DEVICE.key(), "simulated");
    settings.put(Setting.SIMULATED_WINDOW_MICROS.key(), Long.toString((long) WINDOW_MILLIS * 1000));
    settings.put(Setting.ADMIN_PORT.key(), "off");
    Worker worker = new Worker(WorkerConfig.of(settings, Map.of()));
    worker.start();
    return worker;
  }

  @Test
  void interactiveJobStartsWithinOneWindowThoughTwoThousandBulkJobsWait() throws Exception {
    try (TestCluster cluster = new TestCluster(data)) {
      byte[] audio = Tones.wav(440);
      for (int i = 0; i < BULK; i++) {
        cluster.submit(Topics.JOBS_BULK, TestCluster.job("b-" + i, audio));
      }
      cluster.flush();
      Worker one = worker(cluster, "one");
      Worker two = worker(cluster, "two");
      try {
        // Both are at work, with all that they may hold of the bulk lane.
        assertThat(cluster.await("b-", 6, Duration.ofSeconds(60))).hasSizeGreaterThan(5);
        for (int i = 0; i < 2; i++) {
          String id = "u-" + i;
          cluster.submit(Topics.JOBS_INTERACTIVE, TestCluster.job(id, audio));
          cluster.flush();
          List<Transcript> results = cluster.await(id, 1, Duration.ofSeconds(60));
          assertThat(results).hasSize(1);
          Transcript t = results.get(0);
          double whole = Duration.between(t.getSubmittedAt(), t.getCompletedAt()).toMillis();
          // It starts when the next window leaves the device, and waits there behind the two that
          // the device was given ahead; bulk work that was admitted long before waits.
          assertThat(t.getTimings().get("queued")).isLessThan(1.25 * WINDOW_MILLIS);
          assertThat(whole).isLessThan(5 * WINDOW_MILLIS);
        }
        assertThat(cluster.transcripts("b-")).hasSizeLessThan(BULK / 10);
      } finally {
        one.close(Duration.ZERO);
        two.close(Duration.ZERO);
      }
    }
  }
}
