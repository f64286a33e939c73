package dev.amanuensis.worker;

import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;
import static org.apache.kafka.common.resource.ResourceType.GROUP;
import static org.apache.kafka.common.resource.ResourceType.TOPIC;
import static org.apache.kafka.common.resource.ResourceType.TRANSACTIONAL_ID;
import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.intake.DeliveryLoop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A worker loses a right while it runs: it says which, loses no job, and goes on once it is back.
 */
@Timeout(180)
class RefusalIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int JOBS = 20;

  @TempDir Path data;
  private TestCluster cluster;
  private Acls acls;
  private FakeSink sink;
  private DeliveryLoop worker;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(data, Acls.BROKER);
    acls = new Acls(cluster.bootstrapServers());
  }

  @AfterEach
  void stop() {
    end();
    cluster.close();
  }

  private void end() {
    if (worker != null) {
      worker.close(Duration.ofSeconds(1));
      sink.close();
      worker = null;
    }
  }

  private void startWorker(Map<String, String> more) throws Exception {
    Map<String, String> settings = new HashMap<>(cluster.settings("one"));
    settings.putAll(more);
    sink = new FakeSink(8);
    worker = TestCluster.loop(settings, sink);
    worker.start();
    String first = "before-" + System.nanoTime();
    submit(first, 1);
    assertThat(cluster.await(first, 1, LIMIT)).hasSize(1);
  }

  private void submit(String prefix, int count) {
    for (int i = 0; i < count; i++) {
      cluster.submit(prefix + "-" + i, "sleep 200");
    }
    cluster.flush();
  }

  private String awaitRefusal() throws Exception {
    long until = System.nanoTime() + LIMIT.toNanos();
    while (worker.refusal() == null && worker.failure() == null) {
      assertThat(System.nanoTime() - until).as("a refusal shows in time").isNegative();
      Thread.sleep(50);
    }
    assertThat(worker.failure()).isNull();
    return worker.refusal();
  }

  private void awaitRefusalsEnd() throws Exception {
    long until = System.nanoTime() + LIMIT.toNanos();
    while (worker.refusal() != null) {
      assertThat(System.nanoTime() - until).as(worker.refusal()).isNegative();
      Thread.sleep(50);
    }
    assertThat(worker.failure()).isNull();
  }

  private void assertAllAreAnsweredOnce(String prefix) throws Exception {
    assertThat(cluster.await(prefix, JOBS, LIMIT)).hasSize(JOBS);
    awaitRefusalsEnd();
    assertThat(cluster.transcripts(prefix))
        .extracting(Transcript::getJobId)
        .doesNotHaveDuplicates()
        .hasSize(JOBS);
  }

  /** Jobs are under way when the right goes, and others come while it is away. */
  private void goesAndComesBack(
      AclOperation operation, ResourceType type, String name, String shown) throws Exception {
    submit("j", JOBS / 2);
    acls.deny(operation, type, name);
    for (int i = JOBS / 2; i < JOBS; i++) {
      cluster.submit("j-" + i, "sleep 1");
    }
    cluster.flush();
    assertThat(awaitRefusal()).contains(operation.name(), name, shown, "docs/security.md");
    acls.giveBack(operation, type, name);
    assertAllAreAnsweredOnce("j");
  }

  @Test
  void resultsWaitWhileTranscriptsMayNotBeWritten() throws Exception {
    startWorker(Map.of());
    goesAndComesBack(WRITE, TOPIC, Topics.TRANSCRIPTS, "topic");
  }

  @Test
  void resultsWaitWhileTransactionsAreRefused() throws Exception {
    startWorker(Map.of());
    String id = cluster.settings("one").get(Setting.GROUP_ID.key()) + "-one";
    goesAndComesBack(WRITE, TRANSACTIONAL_ID, id, "transactional id");
  }

  @ParameterizedTest
  @ValueSource(strings = {"consumer", "classic"})
  void jobsWaitWhileTheirTopicMayNotBeRead(String protocol) throws Exception {
    startWorker(Map.of(Setting.GROUP_PROTOCOL.key(), protocol));
    goesAndComesBack(READ, TOPIC, Topics.JOBS, "topic");
  }

  @Test
  void otherLanesGoOnWhileOneMayNotBeRead() throws Exception {
    startWorker(Map.of());
    acls.deny(READ, TOPIC, Topics.JOBS_BULK);
    cluster.submit(Topics.JOBS_BULK, TestCluster.job("bulk", "sleep 1"));
    submit("o", 4);
    assertThat(cluster.await("o", 4, LIMIT)).hasSize(4);
    assertThat(awaitRefusal()).contains("READ", Topics.JOBS_BULK);
    acls.giveBack(READ, TOPIC, Topics.JOBS_BULK);
    assertThat(cluster.await("bulk", 1, LIMIT)).hasSize(1);
  }

  @Test
  void goodResultsAreVisibleWhileDeadLettersMayNotBeWritten() throws Exception {
    startWorker(Map.of());
    acls.deny(WRITE, TOPIC, Topics.DLQ);
    cluster.send(Topics.JOBS, null, "not Avro".getBytes());
    submit("d", 4);
    assertThat(cluster.await("d", 4, LIMIT)).hasSize(4);
    assertThat(awaitRefusal()).contains("WRITE", Topics.DLQ);
    assertThat(cluster.deadLetters(l -> true)).isEmpty();
    acls.giveBack(WRITE, TOPIC, Topics.DLQ);
    awaitRefusalsEnd();
    assertThat(cluster.deadLetters(l -> true)).hasSize(1);
  }

  @Test
  void memberOfAClassicGroupGoesOnOnceItMayBeInItAgain() throws Exception {
    startWorker(Map.of(Setting.GROUP_PROTOCOL.key(), "classic"));
    goesAndComesBack(READ, GROUP, cluster.group, "group");
  }

  @Test
  void workerThatMayNotBeInItsGroupEndsAndItsSuccessorDoesTheJobs() throws Exception {
    startWorker(Map.of());
    submit("g", JOBS);
    acls.deny(READ, GROUP, cluster.group);
    long until = System.nanoTime() + LIMIT.toNanos();
    while (worker.failure() == null) {
      assertThat(System.nanoTime() - until).isNegative();
      Thread.sleep(50);
    }
    assertThat(worker.failure()).hasMessageContainingAll("READ", cluster.group, "docs/security.md");
    end();
    acls.giveBack(READ, GROUP, cluster.group);
    startWorker(Map.of());
    assertAllAreAnsweredOnce("g");
  }

  @Test
  void jobsGoOnThoughPartialsAndCancellationsAreRefused() throws Exception {
    startWorker(Map.of());
    acls.deny(AclOperation.ALL, TOPIC, Topics.PARTIAL);
    acls.deny(AclOperation.ALL, TOPIC, Topics.CONTROL);
    for (int i = 0; i < JOBS; i++) {
      cluster.submit("p-" + i, "windows 3");
    }
    cluster.flush();
    assertThat(cluster.await("p", JOBS, LIMIT)).hasSize(JOBS);
    assertThat(worker.failure()).isNull();
  }

  @Test
  void shareGroupGoesOnOnceItsRightsAreBack() throws Exception {
    startWorker(Map.of(Setting.DELIVERY_MODE.key(), "share", Setting.SHARE_CONSUMERS.key(), "1"));
    acls.deny(WRITE, TOPIC, Topics.TRANSCRIPTS);
    submit("s", 4);
    assertThat(awaitRefusal()).contains("WRITE", Topics.TRANSCRIPTS);
    acls.giveBack(WRITE, TOPIC, Topics.TRANSCRIPTS);
    assertThat(cluster.await("s", 4, LIMIT)).hasSizeGreaterThanOrEqualTo(4);
    awaitRefusalsEnd();
    acls.deny(READ, TOPIC, Topics.JOBS);
    submit("t", 4);
    assertThat(awaitRefusal()).contains("READ", Topics.JOBS);
    acls.giveBack(READ, TOPIC, Topics.JOBS);
    assertThat(cluster.await("t", 4, LIMIT)).hasSizeGreaterThanOrEqualTo(4);
    awaitRefusalsEnd();
  }
}
