package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.transcription.ChunkedTranscription;
import dev.amanuensis.worker.transcription.LanguageGuess;
import dev.amanuensis.worker.transcription.Tokenizer;
import dev.amanuensis.worker.transcription.Transcription;
import dev.amanuensis.worker.transcription.WindowRequest;
import java.util.Objects;
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
    PreparedAudio audio = run.audio();
    if (ChunkedTranscription.wanted(options, audio.samples())) {
      return ChunkedRun.begin(
          run, new ChunkedTranscription(options, tokenizer, audio.pcm(), audio.samples(), guess));
    }
    run.transcription = new Transcription(options, tokenizer, audio.samples(), guess);
    return next(run);
  }

  /**
   * Goes on where a predecessor was.
   *
   * @return the next window, or null if the job is complete
   * @throws IllegalArgumentException if its progress does not fit this audio
   */
  static WindowTask resume(JobRun run, Tokenizer tokenizer) throws JobException {
    if (!Objects.equals(run.audio().sha256(), run.from.audioSha256())) {
      throw new IllegalArgumentException("the audio has changed");
    }
    run.transcription =
        Transcription.resume(run.job.options(), tokenizer, run.audio().samples(), run.from);
    return next(run);
  }

  /** The next window, or null after completing the job. */
  static WindowTask next(JobRun run) {
    Optional<WindowRequest> window = run.transcription.next();
    if (window.isEmpty()) {
      run.complete(run.transcription.result());
      return null;
    }
    if (window.get().seek() > 0) {
      run.progressed();
    }
    return new WindowTask(run, window.get());
  }
}
