package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.Lease;
import dev.amanuensis.worker.transcription.Geometry;
import dev.amanuensis.worker.transcription.WindowRequest;

/**
 * One window of one job: the unit that is scheduled. The encode stage fills the cross-attention
 * K/V, the decode stage gives it back.
 */
final class WindowTask {
  /** How often a window is decoded again because the thread that decoded it died. */
  private static final int MOST_RESTARTS = 8;

  final JobRun run;

  /** Null: detect the language on the first 30 s. */
  final WindowRequest window;

  /** Where the language is detected: frames of log-mel before the padding. */
  private final int detectionFrames;

  /** Set between encode and decode. */
  Lease crossKv;

  /** Set by the encode stage: its padding was approximated. */
  boolean thinned;

  private boolean everyRow;
  private int restarts;

  WindowTask(JobRun run, WindowRequest window) {
    this(run, window, 0);
  }

  private WindowTask(JobRun run, WindowRequest window, int detectionFrames) {
    this.run = run;
    this.window = window;
    this.detectionFrames = detectionFrames;
  }

  /**
   * Detects the language on the first 30 s. Beyond the end of a shorter file openai/whisper has
   * silence there and padding where it decodes (transcribe.py pads samples, decoding.py log-mel),
   * so it encodes such a file twice.
   *
   * @param exact as openai/whisper does it; else on the window that is decoded afterwards
   */
  static WindowTask detection(JobRun run, long frames, boolean exact) {
    int detection = exact ? Geometry.WINDOW_FRAMES : (int) Math.min(Geometry.WINDOW_FRAMES, frames);
    return new WindowTask(run, null, detection);
  }

  boolean detectsLanguage() {
    return window == null;
  }

  /** Sequences in the decoder at once, at most. */
  int maxSlots() {
    return detectsLanguage() ? 0 : window.decoding().maxSlots();
  }

  /** The same of its first attempt. */
  int firstSlots() {
    return detectsLanguage() ? 0 : window.decoding().firstSlots();
  }

  long firstFrame() {
    return detectsLanguage() ? 0 : window.seek();
  }

  /** Frames of log-mel before the padding. */
  int frames() {
    return detectsLanguage() ? detectionFrames : window.frames();
  }

  /** Whether it may be tried once more after its thread died. */
  boolean mayRestart() {
    return restarts++ < MOST_RESTARTS;
  }

  /** The same window again, without any approximation of its padding. */
  WindowTask withEveryRow() {
    WindowTask again = new WindowTask(run, window, detectionFrames);
    again.everyRow = true;
    return again;
  }

  boolean wantsEveryRow() {
    return everyRow;
  }

  /** For the owner of its leases. */
  String label() {
    return "job " + run.job.id() + " from " + firstFrame() / 100.0 + " s";
  }
}
