package dev.amanuensis.worker.config;

/** A setting that is unknown or has no possible value. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
