package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.util.List;
import java.util.Optional;

/**
 * The state of one job under the rules of openai/whisper's transcribe(). A state machine: {@link #next()},
 * decode the window, {@link #accept}, and {@link #acceptAlignment} if that asked for one, until next() is
 * empty. One thread at a time.
 */
public final class Transcription {

  /**
   * @param samples of the file at 16 kHz
   * @param detected language; null where {@link #detectsLanguage} is false
   */
  public Transcription(
      TranscriptionOptions options, Tokenizer tokenizer, long samples, LanguageGuess detected)
      throws JobException {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Whether the language has to be detected on the first window before the work starts. */
  public static boolean detectsLanguage(TranscriptionOptions options, Tokenizer tokenizer) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The next window, or empty at the end. Returns the same window until it is accepted. */
  public Optional<WindowRequest> next() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Takes the window's tokens. If an alignment is returned, {@link #acceptAlignment} must follow. */
  public Optional<AlignmentRequest> accept(DecodingResult result) {
    throw new UnsupportedOperationException("not written yet");
  }

  /**
   * @param startFrames one more than text tokens; frame (0.02 s) at which each is entered
   * @param probabilities one per text token
   */
  public void acceptAlignment(int[] startFrames, float[] probabilities) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Frame (10 ms) from which the file is still to be done. */
  public long seek() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The segments that are final so far. */
  public List<Segment> partial() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Once {@link #next()} is empty. */
  public TranscriptionResult result() {
    throw new UnsupportedOperationException("not written yet");
  }
}
