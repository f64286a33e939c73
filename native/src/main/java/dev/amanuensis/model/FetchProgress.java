package dev.amanuensis.model;

import java.io.PrintStream;

/**
 * Told about a fetch while it runs. Calls come from the fetching thread and must return quickly.
 */
public interface FetchProgress {
  /** A source is tried now. */
  void source(String description);

  /**
   * Bytes of a file that have arrived.
   *
   * @param total expected size, or -1 if it is not known; done never exceeds it
   */
  void bytes(String file, long done, long total);

  /** Something worth telling: a source that failed, a wait, a verification. */
  void note(String message);

  /** Says nothing. */
  static FetchProgress silent() {
    return new FetchProgress() {
      @Override
      public void source(String description) {}

      @Override
      public void bytes(String file, long done, long total) {}

      @Override
      public void note(String message) {}
    };
  }

  /** Plain lines for logs: one for each tenth of a file. */
  static FetchProgress lines(PrintStream out) {
    return new LineProgress(out);
  }
}
