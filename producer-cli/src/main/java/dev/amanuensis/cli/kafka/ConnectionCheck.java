package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.schema.serde.RegistryProbe;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.SSLException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Asks the cluster and the registry whether they are there, so that a command can say it soon. */
public final class ConnectionCheck {
  private static final Duration RETRY = Duration.ofMillis(500);

  private ConnectionCheck() {}

  /**
   * @throws CliException UNREACHABLE with what to do about it
   */
  public static void run(KafkaTarget target, Duration timeout)
      throws CliException, InterruptedException {
    run(target, List.of(target.jobsTopic(), target.transcriptsTopic()), timeout);
  }

  /**
   * @param topics that must be there
   * @throws CliException UNREACHABLE with what to do about it
   */
  public static void run(KafkaTarget target, List<String> topics, Duration timeout)
      throws CliException, InterruptedException {
    checkKafka(target, topics, timeout);
    checkRegistry(target, timeout);
  }

  private static void checkKafka(KafkaTarget target, List<String> topics, Duration timeout)
      throws CliException, InterruptedException {
    int millis = (int) timeout.toMillis();
    Map<String, Object> configuration = target.commonConfiguration();
    configuration.put("request.timeout.ms", millis);
    configuration.put("default.api.timeout.ms", millis);
    try (Admin admin = Admin.create(configuration)) {
      try {
        checkTopics(admin, topics, target);
      } finally {
        admin.close(Duration.ZERO);
      }
    } catch (ExecutionException e) {
      throw KafkaFailures.explain(e.getCause(), target, timeout);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  private static void checkTopics(Admin admin, List<String> topics, KafkaTarget target)
      throws CliException, ExecutionException, InterruptedException {
    List<String> missing = new ArrayList<>();
    for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
        new TreeMap<>(admin.describeTopics(topics).topicNameValues()).entrySet()) {
      try {
        topic.getValue().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
        missing.add(topic.getKey());
      }
    }
    if (!missing.isEmpty()) {
      throw new CliException(
          ExitCodes.UNREACHABLE,
          "Kafka at %s lacks %s; 'amanuensis topics create' makes all topics"
              .formatted(target.bootstrapServers(), String.join(", ", missing)));
    }
  }

  private static void checkRegistry(KafkaTarget target, Duration timeout)
      throws CliException, InterruptedException {
    for (String url : target.registryUrl().split(",")) {
      try {
        URI uri = URI.create(url.strip());
        if (uri.getHost() == null) {
          throw new IllegalArgumentException("no host in it");
        }
      } catch (IllegalArgumentException e) {
        throw new CliException(
            ExitCodes.USAGE, "--schema-registry: not a URL: " + e.getMessage(), e);
      }
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      try {
        RegistryProbe.check(target.commonConfiguration(), timeout);
        return;
      } catch (RegistryFailure e) {
        if (!mayBeStarting(e) || System.nanoTime() + RETRY.toNanos() > deadline) {
          throw unreachable(target.shownRegistryUrl(), e.getMessage(), e);
        }
        Thread.sleep(RETRY.toMillis());
      }
    }
  }

  /** A registry that starts refuses connections; Kafka's client goes on trying by itself. */
  private static boolean mayBeStarting(Throwable e) {
    return comesFrom(e, ConnectException.class) || comesFrom(e, UnknownHostException.class);
  }

  private static boolean comesFrom(Throwable e, Class<? extends Throwable> kind) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (kind.isInstance(t)) {
        return true;
      }
    }
    return false;
  }

  private static CliException unreachable(String url, String reason, Exception cause) {
    return new CliException(
        ExitCodes.UNREACHABLE,
        "can't reach the Schema Registry at "
            + url
            + ": "
            + reason
            + (comesFrom(cause, SSLException.class)
                ? "; schema.registry.ssl.truststore.* in the file of --command-config says whom to"
                    + " trust (default: Java's)"
                : "; check --schema-registry, or start everything with 'amanuensis standalone'"),
        cause);
  }
}
