package dev.amanuensis.worker.metrics;

import java.util.Locale;

/** The stages as metrics, logs and the ops page name them, in the order of a job's walk. */
public enum StageName {
  PREPARE,
  ENCODE,
  DECODE,
  ALIGN,
  PUBLISH;

  /** The value of the label {@code stage}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
