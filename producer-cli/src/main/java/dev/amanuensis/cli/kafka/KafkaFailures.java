package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.Causes;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.schema.serde.RegistryFailure;
import java.time.Duration;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Turns what Kafka's clients throw into what a person can act upon. */
final class KafkaFailures {
  private KafkaFailures() {}

  static CliException explain(Throwable failure, KafkaTarget target, Duration timeout) {
    String kafka = "Kafka at " + target.bootstrapServers();
    Throwable root = Causes.root(failure);
    if (failure instanceof UnknownTopicOrPartitionException) {
      return unreachable(
          kafka
              + " lacks a topic ("
              + failure.getMessage()
              + "); 'amanuensis topics create' makes them all, --jobs-topic and"
              + " --transcripts-topic name others",
          failure);
    }
    if (failure instanceof InvalidTopicException) {
      return new CliException(
          ExitCodes.USAGE,
          "--jobs-topic or --transcripts-topic is no name for a topic: letters, digits, '.', '_'"
              + " and '-' make one, 249 at most",
          failure);
    }
    if (failure instanceof SslAuthenticationException) {
      return unreachable(
          "no TLS with "
              + kafka
              + ": "
              + root.getMessage()
              + "; ssl.truststore.* in the file of --command-config says whom to trust"
              + " (default: Java's), ssl.keystore.* who we are",
          failure);
    }
    if (failure instanceof AuthenticationException || failure instanceof AuthorizationException) {
      return unreachable(
          kafka + " refuses us: " + failure.getMessage() + "; see --command-config", failure);
    }
    if (registryUnreachable(failure)) {
      return unreachable(
          "can't reach the Schema Registry at "
              + target.shownRegistryUrl()
              + ": "
              + root.getMessage()
              + "; check --schema-registry",
          failure);
    }
    if (failure instanceof RecordTooLargeException) {
      return new CliException(
          ExitCodes.FAILED,
          kafka + " takes no record that large; lower --max-inline-bytes: " + failure.getMessage(),
          failure);
    }
    if (root instanceof ConfigException && !unknownHost(root)) {
      return new CliException(
          ExitCodes.USAGE,
          "can't use "
              + kafka
              + ": "
              + root.getMessage()
              + "; --bootstrap-server takes HOST:PORT[,HOST:PORT...], --command-config the rest",
          failure);
    }
    if (failure instanceof RetriableException || root instanceof ConfigException) {
      return unreachable(
          "can't reach "
              + kafka
              + (root instanceof ConfigException
                  ? ": " + root.getMessage()
                  : " within " + timeout.toSeconds() + " s")
              + "; is it running? 'amanuensis standalone' starts one, --bootstrap-server names"
              + " another"
              + plainText(target),
          failure);
    }
    return unreachable(kafka + ": " + failure, failure);
  }

  /** A broker that takes TLS only answers others with what Kafka's clients don't understand. */
  private static String plainText(KafkaTarget target) {
    return target.clientProperties().containsKey("security.protocol")
            && !target.clientProperties().get("security.protocol").contains("PLAINTEXT")
        ? ""
        : "; if it takes TLS only, security.protocol in the file of --command-config has to say so";
  }

  /** Kafka's clients call it a wrong setting. */
  private static boolean unknownHost(Throwable configuration) {
    return String.valueOf(configuration.getMessage()).startsWith("No resolvable bootstrap");
  }

  /** Whether a serializer failed because the registry did not answer. */
  static boolean registryUnreachable(Throwable failure) {
    return failure instanceof RegistryFailure;
  }

  private static CliException unreachable(String message, Throwable cause) {
    return new CliException(ExitCodes.UNREACHABLE, message, cause);
  }
}
