package dev.amanuensis.model;

import java.io.PrintStream;

/** Prints progress as lines, one for each tenth of a file. */
final class LineProgress implements FetchProgress {
  private static final long MIB = 1 << 20;

  private final PrintStream out;
  private String file = "";
  private long tenth = -1;

  LineProgress(PrintStream out) {
    this.out = out;
  }

  @Override
  public void source(String description) {
    out.println("model: trying " + description);
  }

  @Override
  public void bytes(String name, long done, long total) {
    long now = total > 0 ? done * 10 / total : done / (16 * MIB);
    if (name.equals(file) && now <= tenth) {
      return;
    }
    file = name;
    tenth = now;
    String of = total > 0 ? " of " + mebibytes(total) : "";
    out.println("model: " + name + " " + mebibytes(done) + of);
  }

  @Override
  public void note(String message) {
    out.println("model: " + message);
  }

  private static String mebibytes(long bytes) {
    return (bytes + MIB / 2) / MIB + " MiB";
  }
}
