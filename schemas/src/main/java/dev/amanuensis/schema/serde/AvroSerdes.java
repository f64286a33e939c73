package dev.amanuensis.schema.serde;

import io.confluent.kafka.serializers.AbstractKafkaSchemaSerDeConfig;
import io.confluent.kafka.serializers.KafkaAvroDeserializer;
import io.confluent.kafka.serializers.KafkaAvroDeserializerConfig;
import io.confluent.kafka.serializers.KafkaAvroSerializer;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * The genuine Confluent Avro serializer and deserializer, configured for our records. Both are safe
 * for use by one client; subjects follow the topic name.
 */
public final class AvroSerdes {
  public static final String REGISTRY_URL =
      AbstractKafkaSchemaSerDeConfig.SCHEMA_REGISTRY_URL_CONFIG;

  static {
    TrustedClasses.register();
  }

  private AvroSerdes() {}

  /**
   * Throws {@link RegistryFailure} where the registry can't be used, another {@code
   * SerializationException} where the value does not fit its schema.
   *
   * @param config Kafka client configuration; {@link #REGISTRY_URL} is required, other settings of
   *     the Confluent serializer (credentials, TLS) pass through
   */
  public static <T extends SpecificRecord> Serializer<T> serializer(Map<String, ?> config) {
    KafkaAvroSerializer serializer = new KafkaAvroSerializer();
    serializer.configure(RegistryAccess.of(config), false);
    return new TypedSerializer<>(serializer);
  }

  /**
   * Reads values into the generated classes. Throws {@link RegistryFailure} where the registry
   * can't be used, another {@code SerializationException} for a bad record.
   */
  public static <T extends SpecificRecord> Deserializer<T> deserializer(
      Class<T> type, Map<String, ?> config) {
    Map<String, Object> all = RegistryAccess.of(config);
    all.put(KafkaAvroDeserializerConfig.SPECIFIC_AVRO_READER_CONFIG, true);
    KafkaAvroDeserializer deserializer = new KafkaAvroDeserializer();
    deserializer.configure(all, false);
    return new TypedDeserializer<>(type, deserializer);
  }
}
