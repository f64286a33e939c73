package dev.amanuensis.schema.serde;

import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import io.confluent.kafka.serializers.KafkaAvroDeserializer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Checks the type of what was read, and tells a bad record from a registry out of reach: the schema
 * is asked for first, so that whatever fails after that is the record's fault.
 */
final class TypedDeserializer<T extends SpecificRecord> implements Deserializer<T> {
  private static final byte MAGIC = 0;
  private static final int PREFIX_BYTES = 5;

  private final Class<T> type;
  private final KafkaAvroDeserializer inner;

  TypedDeserializer(Class<T> type, KafkaAvroDeserializer inner) {
    this.type = type;
    this.inner = inner;
  }

  @Override
  public T deserialize(String topic, byte[] data) {
    if (data == null) {
      return null;
    }
    if (data.length < PREFIX_BYTES || data[0] != MAGIC) {
      throw new SerializationException(
          "not in Confluent's wire format: no zero byte and schema id at the start");
    }
    askForSchema(topic, ByteBuffer.wrap(data).getInt(1));
    Object value;
    try {
      value = inner.deserialize(topic, data);
    } catch (RuntimeException e) {
      if (RegistryErrors.fromNetwork(e)) {
        throw new RegistryFailure(e);
      }
      throw new SerializationException("not a valid record: " + e.getMessage(), e);
    } catch (OutOfMemoryError | StackOverflowError e) {
      // A length or a nesting that lies; what it asked for is free again.
      throw new SerializationException("not a valid record: " + e, e);
    }
    if (!type.isInstance(value)) {
      throw new SerializationException(
          "expected %s, found %s"
              .formatted(
                  type.getSimpleName(), value == null ? null : value.getClass().getSimpleName()));
    }
    return type.cast(value);
  }

  /** The registry's client keeps the answer, so the deserializer finds it there. */
  private void askForSchema(String topic, int id) {
    try {
      inner.getSchemaRegistryClient().getSchemaBySubjectAndId(topic + "-value", id);
    } catch (RestClientException e) {
      if (RegistryErrors.unknownSchema(e)) {
        throw new SerializationException("the registry has no schema " + id, e);
      }
      throw new RegistryFailure(e);
    } catch (IOException | RuntimeException e) {
      if (RegistryErrors.foreignSchema(e)) {
        throw new SerializationException(
            "schema " + id + " is not an Avro schema that can be read: " + e.getMessage(), e);
      }
      throw new RegistryFailure(e);
    }
  }

  @Override
  public void close() {
    inner.close();
  }
}
