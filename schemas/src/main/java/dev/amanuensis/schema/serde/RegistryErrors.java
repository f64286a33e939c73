package dev.amanuensis.schema.serde;

import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import javax.net.ssl.SSLException;

/** Tells "the registry says no such schema" from "the registry can't be asked". */
final class RegistryErrors {
  private static final int NOT_FOUND = 404;

  /** Subject, version or schema not found, in Confluent's numbering. */
  private static final int FIRST_UNKNOWN = 40401;

  private static final int LAST_UNKNOWN = 40403;

  private RegistryErrors() {}

  /**
   * A plain 404 is a wrong URL, 401 and 403 are wrong credentials: neither says anything about the
   * record.
   */
  static boolean unknownSchema(RestClientException e) {
    return e.getStatus() == NOT_FOUND
        && e.getErrorCode() >= FIRST_UNKNOWN
        && e.getErrorCode() <= LAST_UNKNOWN;
  }

  /**
   * Whether the registry answered with a schema that is no Avro (JSON Schema, Protobuf) or can't be
   * parsed. Its client has no class of its own for that, only this message.
   */
  static boolean foreignSchema(Exception e) {
    return !fromNetwork(e) && saysInvalidSchema(e);
  }

  private static boolean saysInvalidSchema(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (String.valueOf(t.getMessage()).startsWith("Invalid schema")) {
        return true;
      }
    }
    return false;
  }

  /** Whether a failed read came from the network; Avro's own failures are IOExceptions as well. */
  static boolean fromNetwork(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof RestClientException rest) {
        return !unknownSchema(rest);
      }
      if (t instanceof SSLException || t.getClass().getPackageName().equals("java.net")) {
        return true;
      }
    }
    return false;
  }

  /** Whether a failed write came from the registry: encoding into memory throws no IOException. */
  static boolean fromRegistry(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof RestClientException || t instanceof IOException) {
        return true;
      }
    }
    return false;
  }
}
