package dev.amanuensis.schema.serde;

import io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClientConfig;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Asks whether a registry is there, with the same client, TLS and credentials as the serializers.
 */
public final class RegistryProbe {
  private static final int FORBIDDEN = 403;

  private RegistryProbe() {}

  /**
   * Returns if the registry answers; one that lets us use schemas but not list them is as good.
   *
   * @param config of a Kafka client, as {@link AvroSerdes} takes it
   * @throws RegistryFailure if it can't be used
   */
  public static void check(Map<String, ?> config, Duration timeout) {
    Map<String, Object> all = RegistryAccess.of(config);
    int millis = (int) timeout.toMillis();
    all.put(SchemaRegistryClientConfig.HTTP_CONNECT_TIMEOUT_MS, millis);
    all.put(SchemaRegistryClientConfig.HTTP_READ_TIMEOUT_MS, millis);
    all.put(SchemaRegistryClientConfig.MAX_RETRIES_CONFIG, 0);
    List<String> urls =
        Arrays.stream(String.valueOf(all.get(AvroSerdes.REGISTRY_URL)).split(","))
            .map(String::strip)
            .toList();
    try (CachedSchemaRegistryClient client = new CachedSchemaRegistryClient(urls, 1, all)) {
      client.getAllSubjects();
    } catch (RestClientException e) {
      if (e.getStatus() != FORBIDDEN) {
        throw new RegistryFailure(e);
      }
    } catch (IOException | RuntimeException e) {
      throw new RegistryFailure(e);
    }
  }
}
