package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Workers in JVMs of their own that are killed, stopped and crashed. */
@Timeout(300)
class WorkerLossIT {
  private static final Duration LIMIT = Duration.ofSeconds(100);

  /** With the workers' logs: what failed can be read afterwards. */
  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path data;

  private TestCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(data);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private WorkerProcess worker(String id) throws IOException {
    return new WorkerProcess(cluster.settings(id), data.resolve(id + ".log"));
  }

  private static Set<String> ids(List<Transcript> transcripts) {
    return transcripts.stream().map(Transcript::getJobId).collect(Collectors.toSet());
  }

  @Test
  void killedWorkersLoseNothingAndRepeatNothing() throws Exception {
    for (int i = 0; i < 300; i++) {
      cluster.submit("k-" + i, "sleep " + (100 + i % 200));
    }
    cluster.flush();
    try (WorkerProcess one = worker("one");
        WorkerProcess two = worker("two")) {
      cluster.await("k-", 10, LIMIT);
      one.kill();
      cluster.await("k-", 80, LIMIT);
      two.kill();
      cluster.await("k-", 150, LIMIT);
      one.kill();
      List<Transcript> results = cluster.await("k-", 300, LIMIT);
      assertThat(results).hasSize(300);
      assertThat(ids(results)).hasSize(300);
      assertThat(results).allMatch(t -> t.getStatus() == Status.COMPLETED);
      assertThat(one.restarts()).isEqualTo(2);
      assertThat(two.restarts()).isEqualTo(1);
    }
    assertThat(cluster.transcripts("k-")).hasSize(300);
    assertThat(cluster.deadLetters(l -> true)).isEmpty();
  }

  @Test
  void stoppedWorkerThatComesBackPublishesNothingOfWhatItLost() throws Exception {
    for (int i = 0; i < 120; i++) {
      cluster.submit("z-" + i, "sleep 300");
    }
    cluster.flush();
    try (WorkerProcess one = worker("one");
        WorkerProcess two = worker("two")) {
      cluster.await("z-", 10, LIMIT);
      one.signal("STOP");
      Thread.sleep(5_000); // beyond the session
      cluster.await("z-", 60, LIMIT);
      one.signal("CONT");
      assertThat(cluster.await("z-", 120, LIMIT)).hasSize(120);
      cluster.submit("y-1", "sleep 1");
      cluster.submit("y-2", "sleep 1");
      cluster.flush();
      assertThat(cluster.await("y-", 2, LIMIT)).hasSize(2);
      assertThat(one.restarts() + two.restarts()).isZero();
    }
    List<Transcript> results = cluster.transcripts("z-");
    assertThat(results).hasSize(120);
    assertThat(ids(results)).hasSize(120);
  }

  @Test
  void poisonIsDeadLetteredAloneAndTheRestIsDone() throws Exception {
    for (int i = 0; i < 100; i++) {
      if (i == 30) {
        cluster.submit("x-poison", "crash");
      }
      cluster.submit("x-" + i, "sleep 20");
    }
    cluster.flush();
    try (WorkerProcess one = worker("one");
        WorkerProcess two = worker("two")) {
      List<Transcript> results = cluster.await("x-", 101, LIMIT);
      assertThat(results).hasSize(101);
      assertThat(ids(results)).hasSize(101);
      Transcript poison =
          results.stream().filter(t -> t.getJobId().equals("x-poison")).findFirst().orElseThrow();
      assertThat(poison.getErrorCode()).isEqualTo("ATTEMPTS_EXHAUSTED");
      assertThat(poison.getAttempt()).isEqualTo(4);
      assertThat(results).filteredOn(t -> t.getStatus() == Status.COMPLETED).hasSize(100);
      // One loss in the company of others, which is no attempt, and three alone: the sink is no
      // pipeline, so that the last attempt is not made in a child.
      assertThat(one.restarts() + two.restarts()).isLessThanOrEqualTo(4);
    }
    assertThat(cluster.deadLetters(l -> true))
        .extracting(DeadLetter::getJobId)
        .containsExactly("x-poison");
  }

  @Test
  void longJobGoesOnWhereItsKilledWorkerWas() throws Exception {
    cluster.submit("r-long", "windows 150"); // 15 s
    cluster.flush();
    try (WorkerProcess one = worker("one")) {
      Thread.sleep(8_000);
      one.kill();
      List<Transcript> results = cluster.await("r-", 1, LIMIT);
      assertThat(results).hasSize(1);
      assertThat(results.get(0).getSegments()).hasSize(150);
      assertThat(results.get(0).getText()).startsWith("150 windows, ").doesNotContain(" 0 found");
    }
  }
}
