package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.intake.DeliveryLoop;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every record is answered exactly once, whatever it is and whoever comes and goes. */
@Timeout(300)
class DeliveryIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path data;
  private TestCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(data);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  /** A worker in this JVM. */
  private record Member(DeliveryLoop loop, FakeSink sink) implements AutoCloseable {
    static Member start(Map<String, String> settings) {
      return start(settings, WorkerMetrics.none());
    }

    static Member start(Map<String, String> settings, WorkerMetrics metrics) {
      FakeSink sink = new FakeSink(Integer.parseInt(settings.get(Setting.MAX_JOBS.key())));
      DeliveryLoop loop = TestCluster.loop(settings, sink, metrics);
      loop.start();
      return new Member(loop, sink);
    }

    @Override
    public void close() {
      loop.close(Duration.ofSeconds(20));
      sink.close();
      assertThat(loop.failure()).isNull();
    }
  }

  @Test
  void everyRecordIsAnsweredOnceWhateverItIs() throws Exception {
    cluster.submit("a-good", "sleep 5");
    cluster.submit("a-bad", "noise");
    cluster.submit("a-later", "fail 2");
    cluster.submit("a-never", "fail 99");
    cluster.submit("a-big", "big 9000000");
    AudioJob late = TestCluster.job("a-late", "sleep 1");
    late.setDeadline(Instant.now().minusSeconds(5));
    cluster.submit(Topics.JOBS_BULK, late);
    cluster.send(Topics.JOBS, "a-junk", "not Avro".getBytes());
    cluster.flush();
    MeterRegistry meters = new SimpleMeterRegistry();
    try (Member worker = Member.start(cluster.settings("one"), new WorkerMetrics(meters))) {
      Map<String, Transcript> results =
          cluster.await("a-", 6, LIMIT).stream()
              .collect(Collectors.toMap(Transcript::getJobId, t -> t));
      assertThat(results).hasSize(6);
      assertThat(results.get("a-good").getText()).isEqualTo("done a-good");
      assertThat(results.get("a-bad").getErrorCode()).isEqualTo("AUDIO_UNREADABLE");
      assertThat(results.get("a-later").getText()).isEqualTo("try 3");
      assertThat(results.get("a-never").getErrorCode()).isEqualTo("SOURCE_UNAVAILABLE");
      assertThat(results.get("a-big").getErrorCode()).isEqualTo("RESULT_TOO_LARGE");
      assertThat(results.get("a-late").getStatus()).isEqualTo(Status.EXPIRED);
    }
    assertThat(cluster.transcripts("a-")).hasSize(6);
    List<DeadLetter> letters =
        cluster.deadLetters(l -> l.getJobId() == null || l.getJobId().startsWith("a-"));
    assertThat(letters)
        .extracting(DeadLetter::getReason)
        .containsExactlyInAnyOrder("SOURCE_UNAVAILABLE", "RESULT_TOO_LARGE", "UNDECODABLE");
    Map<String, Double> counted =
        meters.find("amanuensis.dead.letters").counters().stream()
            .filter(c -> c.count() > 0)
            .collect(Collectors.toMap(c -> c.getId().getTag("reason"), c -> c.count()));
    assertThat(counted)
        .containsOnly(
            Map.entry("SOURCE_UNAVAILABLE", 1.0),
            Map.entry("RESULT_TOO_LARGE", 1.0),
            Map.entry("UNDECODABLE", 1.0));
    DeadLetter junk = letters.stream().filter(l -> l.getJobId() == null).findFirst().orElseThrow();
    assertThat(new String(junk.getValue().array())).isEqualTo("not Avro");
    assertThat(junk.getStack()).contains("SerializationException");
  }

  @Test
  void recordOfAForeignSchemaIsADeadLetterAndHoldsNobodyUp() throws Exception {
    Map<String, String> settings = cluster.settings("one");
    for (String topic : List.of(Topics.JOBS, Topics.CONTROL)) {
      cluster.send(topic, "f-json", MixedRegistry.jsonRecord());
    }
    for (int i = 0; i < 10; i++) {
      cluster.submit("f-" + i, "sleep 1");
    }
    cluster.submit("f-cancelled", "sleep 60000");
    cluster.flush();
    cluster.cancel("f-cancelled");
    try (MixedRegistry registry =
        new MixedRegistry(settings.get(Setting.SCHEMA_REGISTRY_URL.key()))) {
      settings.put(Setting.SCHEMA_REGISTRY_URL.key(), registry.url());
      try (Member worker = Member.start(settings)) {
        assertThat(cluster.await("f-", 11, LIMIT)).hasSize(11);
      }
    }
    assertThat(cluster.deadLetters(l -> l.getJobId() == null))
        .extracting(DeadLetter::getReason)
        .containsExactly("UNDECODABLE");
  }

  @Test
  void jobsAreCancelledBeforeAndDuringWork() throws Exception {
    cluster.submit("c-before", "sleep 1");
    cluster.flush();
    cluster.cancel("c-before");
    cluster.submit("c-during", "sleep 60000");
    cluster.submit("c-other", "sleep 1");
    cluster.flush();
    try (Member worker = Member.start(cluster.settings("one"))) {
      assertThat(cluster.await("c-", 2, LIMIT)).hasSize(2);
      cluster.cancel("c-during");
      Map<String, Status> results =
          cluster.await("c-", 3, LIMIT).stream()
              .collect(Collectors.toMap(Transcript::getJobId, Transcript::getStatus));
      assertThat(results)
          .containsEntry("c-before", Status.CANCELLED)
          .containsEntry("c-during", Status.CANCELLED)
          .containsEntry("c-other", Status.COMPLETED);
      assertThat(worker.sink().admitted).doesNotContain("c-before");
      // An order concerns what was there before it, not what is submitted again.
      cluster.submit("c-before", "sleep 1");
      cluster.flush();
      assertThat(cluster.await("c-before", 2, LIMIT))
          .extracting(Transcript::getStatus)
          .containsExactlyInAnyOrder(Status.CANCELLED, Status.COMPLETED);
    }
  }

  @Test
  void urgentJobOvertakesTwoThousandBulkJobs() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      cluster.submit(Topics.JOBS_BULK, TestCluster.job("b-" + i, "sleep 10"));
    }
    cluster.flush();
    try (Member one = Member.start(cluster.settings("one"));
        Member two = Member.start(cluster.settings("two"))) {
      while (one.sink().admitted.size() + two.sink().admitted.size() < 40) {
        Thread.sleep(5);
      }
      long sent = System.nanoTime();
      cluster.submit(Topics.JOBS_INTERACTIVE, TestCluster.job("u-1", "sleep 1"));
      cluster.flush();
      while (!one.sink().admitted.contains("u-1") && !two.sink().admitted.contains("u-1")) {
        Thread.sleep(2);
        assertThat(System.nanoTime() - sent).isLessThan(LIMIT.toNanos());
      }
      // One slot was kept free for it: it waited for no bulk job, only for the fetch.
      List<String> order = new ArrayList<>(one.sink().admitted);
      order.addAll(two.sink().admitted);
      assertThat(order).hasSizeLessThan(1_000);
      assertThat(cluster.await("u-", 1, LIMIT)).hasSize(1);
      assertThat(cluster.await("b-", 2_000, LIMIT)).hasSize(2_000);
    }
    assertThat(ids(cluster.transcripts("b-"))).hasSize(2_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"consumer", "classic"})
  void rebalanceStormNeitherLosesNorRepeats(String protocol) throws Exception {
    String prefix = "s-" + protocol + "-";
    for (int i = 0; i < 300; i++) {
      cluster.submit(Topics.LANES.get(i % 3), TestCluster.job(prefix + i, "sleep " + i % 50));
    }
    cluster.flush();
    Random random = new Random(7);
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Map<String, String> settings = cluster.settings(protocol + i);
      settings.put(Setting.GROUP_PROTOCOL.key(), protocol);
      members.add(Member.start(settings));
      Thread.sleep(300 + random.nextInt(500));
      if (members.size() > 2) {
        members.remove(random.nextInt(members.size())).close();
      }
    }
    List<Transcript> results = cluster.await(prefix, 300, LIMIT);
    members.forEach(Member::close);
    assertThat(results).hasSize(300);
    assertThat(ids(cluster.transcripts(prefix)))
        .isEqualTo(
            IntStream.range(0, 300)
                .mapToObj(i -> prefix + i)
                .collect(Collectors.toCollection(TreeSet::new)));
    assertThat(cluster.transcripts(prefix)).hasSize(300);
  }

  @Test
  void longJobGoesOnWhereItsLastWorkerGaveItBack() throws Exception {
    cluster.submit("p-long", "windows 30");
    cluster.flush();
    Map<String, String> settings = cluster.settings("one");
    FakeSink sink = new FakeSink(8);
    DeliveryLoop first = TestCluster.loop(settings, sink);
    first.start();
    while (sink.inFlight() == 0) {
      Thread.sleep(10);
    }
    Thread.sleep(1_500);
    first.close(Duration.ZERO);
    sink.close();
    try (Member second = Member.start(cluster.settings("two"))) {
      List<Transcript> results = cluster.await("p-", 1, LIMIT);
      assertThat(results).hasSize(1);
      assertThat(results.get(0).getSegments()).hasSize(30);
      assertThat(results.get(0).getText()).startsWith("30 windows, ").doesNotContain(" 0 found");
      assertThat(results.get(0).getAttempt()).isEqualTo(1);
    }
  }

  private static TreeSet<String> ids(List<Transcript> transcripts) {
    return transcripts.stream()
        .map(Transcript::getJobId)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
