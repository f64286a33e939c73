package dev.amanuensis.standalone;

import picocli.CommandLine.IVersionProvider;

/** Version of the program (from the jar's manifest) and of the Java that runs it. */
final class Versions implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String own = Versions.class.getPackage().getImplementationVersion();
    return new String[] {
      "amanuensis " + (own == null ? "(from classes, without a version)" : own),
      "java " + System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")"
    };
  }
}
