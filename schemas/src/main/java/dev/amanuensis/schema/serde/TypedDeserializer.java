package dev.amanuensis.schema.serde;

import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/** Checks the type of what was read, and tells a bad record from a registry out of reach. */
final class TypedDeserializer<T extends SpecificRecord> implements Deserializer<T> {
  private final Class<T> type;
  private final Deserializer<Object> inner;

  TypedDeserializer(Class<T> type, Deserializer<Object> inner) {
    this.type = type;
    this.inner = inner;
  }

  @Override
  public T deserialize(String topic, byte[] data) {
    Object value;
    try {
      value = inner.deserialize(topic, data);
    } catch (SerializationException e) {
      throw outOfReach(e)
          ? new RegistryFailure("the schema registry can't be asked: " + e.getCause(), e)
          : e;
    } catch (RuntimeException e) {
      // Avro throws its own unchecked exceptions for bytes that do not fit the schema.
      throw new SerializationException("not a valid record: " + e, e);
    }
    if (value != null && !type.isInstance(value)) {
      throw new SerializationException(
          "expected %s, found %s"
              .formatted(type.getSimpleName(), value.getClass().getSimpleName()));
    }
    return type.cast(value);
  }

  private static boolean outOfReach(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof RestClientException rest) {
        return rest.getStatus() >= 500;
      }
      if (t instanceof IOException && !(t instanceof java.io.EOFException)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    inner.close();
  }
}
