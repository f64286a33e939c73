package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.intake.DeliveryLoop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** delivery.mode=share: more workers than partitions, at least once. */
@Timeout(300)
class ShareModeIT {
  private static final Duration LIMIT = Duration.ofSeconds(200);

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

  private Map<String, String> settings(String id) {
    Map<String, String> settings = cluster.settings(id);
    settings.put(Setting.DELIVERY_MODE.key(), "share");
    settings.put(Setting.MAX_JOBS.key(), "4");
    settings.put(Setting.SHARE_CONSUMERS.key(), "2");
    settings.put(Setting.JOBS_TOPICS.key(), "audio-jobs");
    return settings;
  }

  @Test
  void moreWorkersThanPartitionsShareThemAndLongJobsKeepTheirLock() throws Exception {
    cluster.submit("s-long", "sleep 10000"); // the lock lasts 4 s
    for (int i = 0; i < 60; i++) {
      cluster.submit("s-" + i, "sleep 200");
    }
    cluster.submit("s-bad", "noise");
    cluster.send("audio-jobs", "s-junk", "not Avro".getBytes());
    cluster.flush();
    List<DeliveryLoop> loops = new ArrayList<>();
    List<FakeSink> sinks = new ArrayList<>();
    for (int i = 0; i < 2 * TestCluster.PARTITIONS; i++) {
      sinks.add(new FakeSink(4));
      loops.add(TestCluster.loop(settings("w" + i), sinks.get(i)));
      loops.get(i).start();
    }
    long until = System.nanoTime() + LIMIT.toNanos();
    while (ids(cluster.transcripts("s-")).size() < 62 && System.nanoTime() - until < 0) {
      Thread.sleep(200);
    }
    loops.forEach(l -> l.close(Duration.ofSeconds(10)));
    sinks.forEach(FakeSink::close);
    assertThat(loops).allMatch(l -> l.failure() == null);
    // On a machine so busy that a lock expires, a job is done twice: no more is promised.
    assertThat(ids(cluster.transcripts("s-"))).hasSize(62);
    assertThat(sinks).filteredOn(s -> !s.admitted.isEmpty()).hasSizeGreaterThan(2);
    assertThat(cluster.deadLetters(l -> true))
        .extracting(DeadLetter::getReason)
        .containsOnly("UNDECODABLE");
  }

  private static Set<String> ids(List<Transcript> transcripts) {
    return transcripts.stream().map(Transcript::getJobId).collect(Collectors.toSet());
  }

  @Test
  void poisonIsAnsweredAfterMaxAttemptsDeliveries() throws Exception {
    cluster.submit("p-poison", "crash");
    cluster.flush();
    try (WorkerProcess one = new WorkerProcess(settings("one"), data.resolve("one.log"))) {
      List<Transcript> results = cluster.await("p-", 1, LIMIT);
      assertThat(results).isNotEmpty();
      assertThat(results.get(0).getStatus()).isEqualTo(Status.FAILED);
      assertThat(results.get(0).getErrorCode()).isEqualTo("ATTEMPTS_EXHAUSTED");
      // A lock that expires on a busy machine is a delivery too.
      assertThat(one.restarts()).isBetween(1, 3);
    }
    assertThat(cluster.deadLetters(l -> true))
        .extracting(DeadLetter::getJobId)
        .containsOnly("p-poison");
  }

  @Test
  void resultWaitsForTheRegistryAndKeepsItsLock() throws Exception {
    cluster.submit("r-1", "sleep 2000");
    cluster.flush();
    try (FakeSink sink = new FakeSink(4)) {
      DeliveryLoop loop = TestCluster.loop(settings("one"), sink);
      loop.start();
      long until = System.nanoTime() + LIMIT.toNanos();
      while (sink.admitted.isEmpty() && System.nanoTime() - until < 0) {
        Thread.sleep(50);
      }
      cluster.withoutRegistry(Duration.ofSeconds(8)); // the lock lasts 4 s
      List<Transcript> results = cluster.await("r-", 1, LIMIT);
      loop.close(Duration.ofSeconds(10));
      assertThat(results).extracting(Transcript::getText).containsExactly("done r-1");
      assertThat(sink.admitted).containsExactly("r-1");
    }
  }

  @Test
  void resultThatTheTopicDoesNotTakeIsFailedWithoutDoingItAgain() throws Exception {
    cluster.maxMessageBytes("transcripts", 50_000);
    cluster.submit("l-1", "big 200000");
    cluster.flush();
    try (FakeSink sink = new FakeSink(4)) {
      DeliveryLoop loop = TestCluster.loop(settings("one"), sink);
      loop.start();
      List<Transcript> results = cluster.await("l-", 1, LIMIT);
      loop.close(Duration.ofSeconds(10));
      assertThat(results).extracting(Transcript::getErrorCode).containsExactly("RESULT_TOO_LARGE");
      assertThat(sink.admitted).containsExactly("l-1");
    }
  }
}
