package dev.amanuensis.worker.buffers;

import java.util.Locale;

/** What buffers are for. */
public enum Pool {
  /** One window of log-mel. */
  MEL,
  /** 30 s of PCM. */
  AUDIO,
  /** Encoder states of one window. */
  ENCODER,
  /** Cross-attention K and V of one window; much larger than the others and not under their cap. */
  CROSS_KV;

  /** As it appears in settings, metrics and messages, for example {@code cross_kv}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether the byte cap counts its slots. */
  public boolean capped() {
    return this != CROSS_KV;
  }
}
