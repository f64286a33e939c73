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

  /** Set between encode and decode. */
  Lease crossKv;

  /** Set by the encode stage: its padding was approximated. */
  boolean thinned;

  private boolean everyRow;
  private int restarts;

  WindowTask(JobRun run, WindowRequest window) {
    this.run = run;
    this.window = window;
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

  /**
   * Frames that come from the audio. Where the language is detected the whole window does: beyond
   * the end of the file that is silence, not padding (openai/whisper transcribe.py pads samples).
   */
  int frames() {
    return detectsLanguage() ? Geometry.WINDOW_FRAMES : window.frames();
  }

  /** Whether it may be tried once more after its thread died. */
  boolean mayRestart() {
    return restarts++ < MOST_RESTARTS;
  }

  /** The same window again, without any approximation of its padding. */
  WindowTask withEveryRow() {
    WindowTask again = new WindowTask(run, window);
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
