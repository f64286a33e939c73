package dev.amanuensis.schema.serde;

import org.apache.kafka.common.errors.SerializationException;

/** The registry could not be asked: the record may be fine, so trying again makes sense. */
public final class RegistryFailure extends SerializationException {
  private static final long serialVersionUID = 1L;

  RegistryFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
