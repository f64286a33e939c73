package dev.amanuensis.engine;

/** Arithmetic of a model (am_profile, by ordinal). */
public enum Profile {
  /** fp32 throughout: token-exact with openai/whisper. */
  REFERENCE,
  /** int8 and bf16 as the machine offers. */
  FAST
}
