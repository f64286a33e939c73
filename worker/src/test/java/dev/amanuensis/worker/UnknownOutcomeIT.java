package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.Transcript;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.DeliveryLoop;
import dev.amanuensis.worker.intake.JobLoop;
import dev.amanuensis.worker.intake.Trials;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Partials;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.TransactionalPublisher;
import dev.amanuensis.worker.publish.WorkerIdentity;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Commits whose answer never comes: some had reached the broker, some had not, and the worker can
 * not know which.
 */
@Timeout(180)
class UnknownOutcomeIT {
  private static final int JOBS = 120;
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir Path data;
  private int commits;
  private int committedUnknown;
  private int openUnknown;

  /** Belongs to the loop thread, as the publisher does. */
  private final class LosesAnswers {
    final KafkaProducer<byte[], byte[]> producer;

    /** The answer to the last commit was lost: the client may only ask again. */
    boolean lost;

    LosesAnswers(Map<String, Object> config) {
      producer = new KafkaProducer<>(config);
    }

    Object call(Method method, Object[] arguments) throws Throwable {
      switch (method.getName()) {
        case "commitTransaction" -> {
          if (!lost) {
            commits++;
          }
          if (commits % 4 == 2 && !lost) {
            producer.commitTransaction();
            committedUnknown++;
            lost = true;
          } else if (commits % 4 == 3 && !lost) {
            openUnknown++;
            lost = true;
          }
          if (lost) {
            throw new TimeoutException("a test");
          }
        }
        case "abortTransaction" -> {
          if (lost) { // as KafkaProducer does
            throw new IllegalStateException("a commit is pending and must be retried");
          }
        }
        default -> {}
      }
      try {
        return method.invoke(producer, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }
  }

  @SuppressWarnings("unchecked")
  private Producer<byte[], byte[]> client(Map<String, Object> config) {
    LosesAnswers client = new LosesAnswers(config);
    return (Producer<byte[], byte[]>)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Producer.class},
            (proxy, method, arguments) -> client.call(method, arguments));
  }

  private DeliveryLoop loop(Map<String, String> settings, FakeSink sink) {
    WorkerConfig config = WorkerConfig.of(settings, Map.of());
    KafkaSettings kafka = new KafkaSettings(config, "one");
    WorkerIdentity identity = new WorkerIdentity("one", "none", "sha", "reference", "none");
    WorkerMetrics metrics = WorkerMetrics.none();
    return new JobLoop(
        kafka.intake(),
        sink,
        new ResultEncoder(identity, "transcripts", "audio-jobs.dlq", 8 << 20, kafka.registry()),
        new TransactionalPublisher(kafka.producer(), this::client, metrics),
        new Partials(kafka.partials(), identity),
        Trials.NONE,
        metrics);
  }

  @Test
  void resultsAreVisibleOnceWhetherTheLostCommitHappenedOrNot() throws Exception {
    try (TestCluster cluster = new TestCluster(data);
        FakeSink sink = new FakeSink(8)) {
      for (int i = 0; i < JOBS; i++) {
        cluster.submit("u-" + i, "sleep " + (50 + i % 50));
      }
      cluster.flush();
      DeliveryLoop loop = loop(cluster.settings("one"), sink);
      loop.start();
      List<Transcript> results = cluster.await("u-", JOBS, LIMIT);
      assertThat(results).hasSize(JOBS);
      loop.close(Duration.ofSeconds(10));
      assertThat(loop.failure()).isNull();
      assertThat(cluster.transcripts("u-")).hasSize(JOBS);
      assertThat(results.stream().map(Transcript::getJobId).collect(Collectors.toSet()))
          .hasSize(JOBS);
      assertThat(committedUnknown).isGreaterThan(1);
      assertThat(openUnknown).isGreaterThan(1);
    }
  }
}
