package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.FileFailures;
import dev.amanuensis.cli.kafka.KafkaTarget;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which Kafka to talk to. */
public final class ConnectionOptions {
  static final String DEFAULT_BOOTSTRAP = "localhost:9092";
  static final String DEFAULT_REGISTRY = "http://localhost:8081";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-b", "--bootstrap-server"},
      paramLabel = "HOST:PORT",
      defaultValue = "${env:AMANUENSIS_BOOTSTRAP_SERVER}",
      description = "Kafka to use (or set AMANUENSIS_BOOTSTRAP_SERVER).")
  String bootstrapServer;

  @Option(
      names = "--schema-registry",
      paramLabel = "URL",
      defaultValue = "${env:AMANUENSIS_SCHEMA_REGISTRY:-" + DEFAULT_REGISTRY + "}",
      description =
          "Schema Registry (or set AMANUENSIS_SCHEMA_REGISTRY). Default: " + DEFAULT_REGISTRY + ".")
  String schemaRegistry;

  @Option(
      names = {"--command-config", "--kafka-properties"},
      paramLabel = "FILE",
      defaultValue = "${env:AMANUENSIS_COMMAND_CONFIG}",
      description =
          "Further settings of the Kafka clients and the registry's: TLS, SASL, basic.auth.* (or"
              + " set AMANUENSIS_COMMAND_CONFIG).")
  Path kafkaProperties;

  @Option(
      names = "--jobs-topic",
      paramLabel = "TOPIC",
      defaultValue = KafkaTarget.JOBS,
      description = "Topic of the jobs. Default: ${DEFAULT-VALUE}.")
  String jobsTopic;

  @Option(
      names = "--transcripts-topic",
      paramLabel = "TOPIC",
      defaultValue = KafkaTarget.TRANSCRIPTS,
      description = "Topic of the transcripts. Default: ${DEFAULT-VALUE}.")
  String transcriptsTopic;

  @Option(
      names = "--connect-timeout",
      paramLabel = "SECONDS",
      defaultValue = "10",
      converter = PositiveSeconds.class,
      description = "How long to try to reach Kafka and the registry. Default: ${DEFAULT-VALUE}.")
  long connectTimeoutSeconds;

  /**
   * Whether the user named a cluster. A variable without a value names none; an option without one
   * is a mistake, mostly of a script: nobody who wrote it means a cluster of this process's own.
   */
  public boolean isGiven() throws CliException {
    boolean given = bootstrapServer != null && !bootstrapServer.isBlank();
    if (!given && command.commandLine().getParseResult().hasMatchedOption("-b")) {
      throw new CliException(
          ExitCodes.USAGE,
          "--bootstrap-server is empty; give it HOST:PORT, or leave it out to use "
              + ("transcribe".equals(command.name()) ? "a Kafka of its own" : DEFAULT_BOOTSTRAP));
    }
    return given;
  }

  public Duration connectTimeout() {
    return Duration.ofSeconds(connectTimeoutSeconds);
  }

  /** The named cluster, else the one that {@code standalone} makes by default. */
  public KafkaTarget target() throws CliException {
    return new KafkaTarget(
        isGiven() ? bootstrapServer : DEFAULT_BOOTSTRAP,
        schemaRegistry,
        jobsTopic,
        transcriptsTopic,
        clientProperties());
  }

  private Map<String, String> clientProperties() throws CliException {
    Map<String, String> map = new HashMap<>();
    if (kafkaProperties != null && !kafkaProperties.toString().isEmpty()) {
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(kafkaProperties)) {
        properties.load(reader);
      } catch (IOException e) {
        throw unusable(FileFailures.reason(e), e);
      } catch (IllegalArgumentException e) {
        throw unusable(e.getMessage(), e);
      }
      properties.stringPropertyNames().forEach(key -> map.put(key, properties.getProperty(key)));
    }
    return map;
  }

  private static CliException unusable(String reason, Exception e) {
    return new CliException(ExitCodes.USAGE, "can't read --command-config: " + reason, e);
  }
}
