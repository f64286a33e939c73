package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.schema.topic.TopicCreator;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

/** Makes the topics of a fleet. */
public final class TopicAdmin {
  /** Copies that survive the loss of a broker without a pause. */
  private static final int SAFE_COPIES = 3;

  private final KafkaTarget target;
  private final Duration timeout;

  public TopicAdmin(KafkaTarget target, Duration timeout) {
    this.target = target;
    this.timeout = timeout;
  }

  /**
   * Creates what is missing and compares what is there.
   *
   * @param replicationFactor or null for three, or as many as there are brokers
   */
  public List<TopicCreator.Outcome> create(
      int fleetPartitions, Integer replicationFactor, boolean dryRun)
      throws CliException, InterruptedException {
    try (Admin admin = Clients.admin(target, timeout)) {
      int copies =
          replicationFactor != null
              ? replicationFactor
              : Math.min(SAFE_COPIES, admin.describeCluster().nodes().get().size());
      return new TopicCreator(admin)
          .create(TopicCreator.plan(Topics.all(), fleetPartitions, copies), dryRun);
    } catch (ExecutionException e) {
      throw KafkaFailures.explain(e.getCause(), target, timeout);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }
}
