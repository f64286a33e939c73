package dev.amanuensis.schema.serde;

import io.confluent.kafka.serializers.KafkaAvroSerializer;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;

/** Tells a value that does not fit its schema from a registry out of reach. */
final class TypedSerializer<T extends SpecificRecord> implements Serializer<T> {
  private final KafkaAvroSerializer inner;

  TypedSerializer(KafkaAvroSerializer inner) {
    this.inner = inner;
  }

  @Override
  public byte[] serialize(String topic, T value) {
    try {
      return inner.serialize(topic, value);
    } catch (SerializationException e) {
      throw RegistryErrors.fromRegistry(e) ? new RegistryFailure(e) : e;
    } catch (RuntimeException e) {
      // Refusals of the registry are mapped to Kafka's exceptions, without their cause.
      throw new RegistryFailure(e);
    }
  }

  @Override
  public void close() {
    inner.close();
  }
}
