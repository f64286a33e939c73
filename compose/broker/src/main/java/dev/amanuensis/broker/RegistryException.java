package dev.amanuensis.broker;

/**
 * An answer that is not a success, with Confluent's error code (its first three digits are HTTP's).
 */
final class RegistryException extends Exception {
  private static final long serialVersionUID = 1L;
  private final int code;

  RegistryException(int code, String message) {
    super(message);
    this.code = code;
  }

  int code() {
    return code;
  }

  int status() {
    return code >= 1000 ? code / 100 : code;
  }

  static RegistryException noSubject(String subject) {
    return new RegistryException(40401, "Subject '" + subject + "' not found.");
  }

  static RegistryException noVersion(String version) {
    return new RegistryException(40402, "Version " + version + " not found.");
  }

  static RegistryException noSchema(String what) {
    return new RegistryException(40403, what);
  }

  static RegistryException invalidSchema(String message) {
    return new RegistryException(42201, message);
  }
}
