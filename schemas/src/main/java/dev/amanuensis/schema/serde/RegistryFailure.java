package dev.amanuensis.schema.serde;

import org.apache.kafka.common.errors.SerializationException;

/**
 * The registry could not be asked, or would not answer: the record may be fine, so trying again
 * makes sense.
 */
public final class RegistryFailure extends SerializationException {
  private static final long serialVersionUID = 1L;

  /**
   * @param cause what the registry's client says
   */
  public RegistryFailure(Throwable cause) {
    super("the schema registry can't be used: " + root(cause), cause);
  }

  private static Throwable root(Throwable e) {
    return e.getCause() == null ? e : root(e.getCause());
  }
}
