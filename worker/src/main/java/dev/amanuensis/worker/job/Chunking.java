package dev.amanuensis.worker.job;

/** Whether a file is transcribed from its start to its end, or in chunks side by side. */
public enum Chunking {
  /** One window after the other, each with the text before it: openai/whisper's way. */
  NONE,

  /** Chunks of speech, cut at pauses; long silences between them are left out. */
  VAD,

  /** Chunks of nearly 30 s over the whole file, each cut at the quietest moment near its end. */
  FIXED
}
