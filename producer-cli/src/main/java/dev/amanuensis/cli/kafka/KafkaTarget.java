package dev.amanuensis.cli.kafka;

import dev.amanuensis.schema.serde.AvroSerdes;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * A Kafka cluster with its Schema Registry, and the topics to use there.
 *
 * @param bootstrapServers host:port, several separated by commas
 * @param registryUrl for example http://localhost:8081
 * @param jobsTopic where jobs are submitted
 * @param transcriptsTopic where results appear
 * @param clientProperties further settings of every client (security, for example)
 */
public record KafkaTarget(
    String bootstrapServers,
    String registryUrl,
    String jobsTopic,
    String transcriptsTopic,
    Map<String, String> clientProperties) {
  public static final String JOBS = "audio-jobs";
  public static final String TRANSCRIPTS = "transcripts";

  /** The producer's own limit; the broker's and the topic's say what is really taken. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  public KafkaTarget {
    clientProperties = Map.copyOf(clientProperties);
  }

  /** With the topics' own names and no further settings. */
  public static KafkaTarget of(String bootstrapServers, String registryUrl) {
    return new KafkaTarget(bootstrapServers, registryUrl, JOBS, TRANSCRIPTS, Map.of());
  }

  /** The registry's address for messages: without a user and a password. */
  public String shownRegistryUrl() {
    return registryUrl.replaceAll("://[^/@,]*@", "://");
  }

  /** The settings that all clients share, the registry's among them. */
  public Map<String, Object> commonConfiguration() {
    Map<String, Object> configuration = new HashMap<>(clientProperties);
    configuration.put("bootstrap.servers", bootstrapServers);
    configuration.put(AvroSerdes.REGISTRY_URL, registryUrl);
    configuration.putIfAbsent("client.id", "amanuensis-cli");
    return configuration;
  }

  /**
   * A producer's settings: it waits for all copies, and repeats without duplicates.
   *
   * @param patience that a call may wait for Kafka
   */
  public Map<String, Object> producerConfiguration(Duration patience) {
    Map<String, Object> configuration = commonConfiguration();
    configuration.put("acks", "all");
    configuration.put("enable.idempotence", true);
    configuration.put("max.request.size", MAX_REQUEST_BYTES);
    // With more, a second batch may overtake the first where the topic was made a moment ago, and
    // the broker refuses the first one for ever after.
    configuration.put("max.in.flight.requests.per.connection", 1);
    configuration.put("max.block.ms", patience.toMillis());
    return configuration;
  }
}
