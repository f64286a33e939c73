package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.transcription.Geometry;
import dev.amanuensis.worker.transcription.WindowRequest;

/**
 * One window of one job: the unit that is scheduled. The encode stage fills the cross-attention
 * K/V, the decode stage gives it back.
 */
final class WindowTask {
  final JobRun run;

  /** Null: detect the language on the first 30 s. */
  final WindowRequest window;

  NativeBuffer crossKv;

  WindowTask(JobRun run, WindowRequest window) {
    this.run = run;
    this.window = window;
  }

  boolean detectsLanguage() {
    return window == null;
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
}
