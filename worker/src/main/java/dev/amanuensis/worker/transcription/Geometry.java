package dev.amanuensis.worker.transcription;

/** Numbers that all Whisper checkpoints share (openai/whisper audio.py, model.py). */
public final class Geometry {
  public static final int SAMPLE_RATE = 16000;

  /** Samples between two mel frames: a frame is 10 ms. */
  public static final int HOP = 160;

  public static final int FRAMES_PER_SECOND = SAMPLE_RATE / HOP;

  /** Frames of a window of 30 s. */
  public static final int WINDOW_FRAMES = 3000;

  /** Mel frames per encoder state, and so per timestamp. */
  public static final int FRAMES_PER_TIMESTAMP = 2;

  /** Seconds per timestamp token. */
  public static final double TIMESTAMP_SECONDS = 0.02;

  /** Positions of the decoder. */
  public static final int TEXT_CONTEXT = 448;

  /** Tokens sampled for a window at most. */
  public static final int SAMPLE_LENGTH = TEXT_CONTEXT / 2;

  /** Tokens of history before the start of a transcript at most. */
  public static final int PROMPT_LENGTH = TEXT_CONTEXT / 2 - 1;

  private Geometry() {}

  /** Seconds at which a frame starts. */
  public static double seconds(long frame) {
    return (double) (frame * HOP) / SAMPLE_RATE;
  }
}
