package dev.amanuensis.schema.serde;

import org.apache.avro.util.ClassSecurityValidator;

/**
 * Tells Avro that our generated classes may be named in schemas: since 1.12.2 it instantiates only
 * classes that are trusted. Done once per process, when {@link AvroSerdes} is loaded; code that
 * uses the generated builders before that calls {@link #register}.
 */
public final class TrustedClasses {
  private static final String PACKAGE = "dev.amanuensis.schema.";
  private static boolean registered;

  private TrustedClasses() {}

  /** Idempotent and thread-safe; what the application trusts besides stays trusted. */
  public static synchronized void register() {
    if (!registered) {
      ClassSecurityValidator.setGlobal(
          ClassSecurityValidator.composite(
              ClassSecurityValidator.getGlobal(), TrustedClasses::isOurs));
      registered = true;
    }
  }

  private static boolean isOurs(Class<?> type) {
    return type.getName().startsWith(PACKAGE);
  }
}
