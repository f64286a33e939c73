package dev.amanuensis.worker.pipeline;

import java.util.Locale;

/** The stages, in the order in which a job walks through them. */
public enum Stage {
  PREPARE,
  ENCODE,
  DECODE;

  /** As it appears in metrics and settings. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
