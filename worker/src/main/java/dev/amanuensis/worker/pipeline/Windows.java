package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.transcription.LanguageGuess;
import dev.amanuensis.worker.transcription.Tokenizer;
import dev.amanuensis.worker.transcription.Transcription;
import dev.amanuensis.worker.transcription.WindowRequest;
import java.util.Optional;

/** From a job's state to its next window, or to its end. */
final class Windows {
  private Windows() {}

  /**
   * Starts the transcription once the language is known.
   *
   * @param detected null where the language was given, or where there is no audio to detect it on
   * @return the first window, or null if the job is complete
   */
  static WindowTask begin(JobRun run, Tokenizer tokenizer, LanguageGuess detected)
      throws JobException {
    TranscriptionOptions options = run.job.options();
    LanguageGuess guess = detected;
    if (guess == null && Transcription.detectsLanguage(options, tokenizer)) {
      guess = new LanguageGuess("en", 0); // less than a frame of audio
    }
    run.transcription = new Transcription(options, tokenizer, run.audio().samples(), guess);
    return next(run);
  }

  /** The next window, or null after completing the job. */
  static WindowTask next(JobRun run) {
    Optional<WindowRequest> window = run.transcription.next();
    if (window.isEmpty()) {
      run.complete(run.transcription.result());
      return null;
    }
    return new WindowTask(run, window.get());
  }
}
