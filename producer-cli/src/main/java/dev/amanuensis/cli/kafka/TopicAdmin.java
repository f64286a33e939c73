package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
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

  private static final long LOOK_AGAIN_MILLIS = 500;

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
   * @param brokers that must be there first: one that starts before the others would get all copies
   */
  public List<TopicCreator.Outcome> create(
      int fleetPartitions, Integer replicationFactor, int brokers, boolean dryRun)
      throws CliException, InterruptedException {
    try (Admin admin = Clients.admin(target, timeout)) {
      int there = awaitBrokers(admin, brokers);
      int copies = replicationFactor != null ? replicationFactor : Math.min(SAFE_COPIES, there);
      return new TopicCreator(admin)
          .create(TopicCreator.plan(Topics.all(), fleetPartitions, copies), dryRun);
    } catch (ExecutionException e) {
      throw KafkaFailures.explain(e.getCause(), target, timeout);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  private int awaitBrokers(Admin admin, int wanted)
      throws CliException, ExecutionException, InterruptedException {
    long until = System.nanoTime() + timeout.toNanos();
    while (true) {
      int there = admin.describeCluster().nodes().get().size();
      if (there >= wanted) {
        return there;
      }
      if (System.nanoTime() - until >= 0) {
        throw new CliException(
            ExitCodes.UNREACHABLE,
            "Kafka at %s has %d of %d brokers after %d s; start the others, or lower --brokers"
                .formatted(target.bootstrapServers(), there, wanted, timeout.toSeconds()));
      }
      Thread.sleep(LOOK_AGAIN_MILLIS);
    }
  }
}
