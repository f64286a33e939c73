package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.intake.DeliveryLoop;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What can't go on now holds nobody else up. */
@Timeout(300)
class HoldUpIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path data;
  private TestCluster cluster;
  private FakeSink sink;
  private DeliveryLoop worker;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(data);
  }

  @AfterEach
  void stop() {
    if (worker != null) {
      worker.close(Duration.ofSeconds(1));
      sink.close();
      assertThat(worker.failure()).isNull();
    }
    cluster.close();
  }

  private void start(Map<String, String> settings) {
    sink = new FakeSink(Integer.parseInt(settings.get(Setting.MAX_JOBS.key())));
    worker = TestCluster.loop(settings, sink);
    worker.start();
  }

  private static <T> List<T> awaitSize(Supplier<List<T>> read, int size) throws Exception {
    long until = System.nanoTime() + LIMIT.toNanos();
    List<T> found = read.get();
    while (found.size() < size && System.nanoTime() - until < 0) {
      Thread.sleep(200);
      found = read.get();
    }
    return found;
  }

  @Test
  void jobsOfADeadSourceHoldUpNobodyBehindThem() throws Exception {
    Map<String, String> settings = cluster.settings("one");
    settings.put(Setting.RETRY_BACKOFF_MS.key(), "600000");
    for (int i = 0; i < 40; i++) {
      cluster.submit("r-dead-" + i, "fail 99");
    }
    cluster.flush();
    start(settings);
    for (int i = 0; i < 4; i++) {
      cluster.submit("r-good-" + i, "sleep 1");
    }
    cluster.flush();
    assertThat(cluster.await("r-good", 4, LIMIT)).hasSize(4);
    assertThat(cluster.transcripts("r-dead")).isEmpty();
    assertThat(sink.admitted).hasSize(44);
  }

  @Test
  void cancelledAndLateJobsAreAnsweredThoughNoSlotIsFree() throws Exception {
    Map<String, String> settings = cluster.settings("one");
    settings.put(Setting.MAX_JOBS.key(), "1");
    cluster.submit("w-busy", "sleep 600000");
    cluster.flush();
    start(settings);
    awaitSize(() -> List.copyOf(sink.admitted), 1);
    AudioJob late = TestCluster.job("w-late", "sleep 1");
    late.setDeadline(Instant.now().plusSeconds(2));
    cluster.submit(Topics.JOBS, late);
    cluster.submit("w-unwanted", "sleep 1");
    cluster.send(Topics.JOBS, "w-junk", "not Avro".getBytes());
    cluster.flush();
    cluster.cancel("w-unwanted");
    assertThat(cluster.await("w-", 2, LIMIT))
        .extracting(Transcript::getStatus)
        .containsExactlyInAnyOrder(Status.EXPIRED, Status.CANCELLED);
    assertThat(awaitSize(() -> cluster.deadLetters(l -> true), 1)).hasSize(1);
    assertThat(sink.admitted).containsExactly("w-busy");
  }

  @Test
  void jobsAreDoneThoughTheirTopicEndsBeforeTheCommittedProgress() throws Exception {
    for (int i = 0; i < TestCluster.PARTITIONS; i++) {
      cluster.committed(Topics.JOBS, i, 1_000); // of a log that was truncated since
    }
    for (int i = 0; i < 10; i++) {
      cluster.submit("t-" + i, "sleep 1");
    }
    cluster.flush();
    start(cluster.settings("one"));
    assertThat(cluster.await("t-", 10, LIMIT)).hasSize(10);
    cluster.submit("t-later", "sleep 1");
    cluster.flush();
    assertThat(cluster.await("t-later", 1, LIMIT)).hasSize(1);
    assertThat(cluster.transcripts("t-")).hasSize(11);
  }

  @Test
  void goodResultsAreVisibleThoughThereIsNoTopicForDeadLetters() throws Exception {
    cluster.deleteTopic(Topics.DLQ);
    for (int i = 0; i < 10; i++) {
      cluster.submit("d-bad-" + i, "fail 99");
    }
    goodOnesAmongBadOnes();
    assertThat(cluster.transcripts("d-bad")).isEmpty(); // each comes with its dead letter
    cluster.createTopics();
    assertThat(cluster.await("d-bad", 10, LIMIT)).hasSize(10);
    assertDeadLettersCome(20);
  }

  @Test
  void goodResultsAreVisibleThoughTheTopicOfDeadLettersRefusesThem() throws Exception {
    cluster.cleanupPolicy(Topics.DLQ, "compact");
    goodOnesAmongBadOnes();
    assertThat(cluster.deadLetters(l -> true)).isEmpty();
    cluster.cleanupPolicy(Topics.DLQ, "delete");
    assertDeadLettersCome(10);
  }

  private void goodOnesAmongBadOnes() throws Exception {
    for (int i = 0; i < 30; i++) {
      if (i % 3 == 0) {
        cluster.send(Topics.JOBS, null, "not Avro".getBytes());
      }
      cluster.submit("d-good-" + i, "sleep 1");
    }
    cluster.flush();
    start(cluster.settings("one"));
    assertThat(cluster.await("d-good", 30, LIMIT)).hasSize(30);
    cluster.submit("d-good-later", "sleep 1");
    cluster.flush();
    assertThat(cluster.await("d-good-later", 1, LIMIT)).hasSize(1);
  }

  private void assertDeadLettersCome(int all) throws Exception {
    assertThat(awaitSize(() -> cluster.deadLetters(l -> true), all)).hasSize(all);
    assertThat(cluster.deadLetters(l -> l.getJobId() == null))
        .hasSize(10)
        .extracting(DeadLetter::getReason)
        .containsOnly("UNDECODABLE");
    assertThat(cluster.transcripts("d-good")).hasSize(31);
  }
}
