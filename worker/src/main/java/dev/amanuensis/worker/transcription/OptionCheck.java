package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionOptions.Task;
import java.util.List;

/** Refuses options that the model or the rules do not know, before any work is done. */
public final class OptionCheck {
  /** The decoder gives 16 candidates a row, and a beam looks at one more than its size. */
  public static final int MAX_BEAM_SIZE = 15;

  public static final int MAX_BEST_OF = 16;

  /** Only the last 223 tokens of a prompt are ever used. */
  public static final int MAX_PROMPT_CHARS = 10_000;

  /** Seconds; far beyond any file, and safe in frames. */
  private static final double MAX_SECONDS = 1e9;

  private OptionCheck() {}

  /** Throws INVALID_OPTION with a message that names the valid values. */
  public static void check(TranscriptionOptions options, Tokenizer tokenizer) throws JobException {
    language(options, tokenizer);
    sampling(options);
    thresholds(options);
    prompt(options.initialPrompt());
    clips(options.clipTimestamps());
    for (int id : options.suppressTokens()) {
      require(
          id >= -1 && id < tokenizer.size(),
          "suppress token %d: use -1 for the non-speech set, or ids from 0 to %d",
          id,
          tokenizer.size() - 1);
    }
  }

  private static void language(TranscriptionOptions options, Tokenizer tokenizer)
      throws JobException {
    require(options.task() != null, "task is missing: use transcribe or translate");
    if (!tokenizer.multilingual()) {
      require(options.task() == Task.TRANSCRIBE, "this model is English only: it can't translate");
    }
    if (options.language() == null) {
      return;
    }
    String code = Languages.code(options.language());
    List<String> known = tokenizer.multilingual() ? tokenizer.languages() : List.of("en");
    require(
        code != null && known.contains(code),
        "unknown language \"%s\": use one of %s, its English name, or none to detect it",
        abridged(options.language()),
        String.join(" ", known));
  }

  private static void sampling(TranscriptionOptions options) throws JobException {
    require(!options.temperatures().isEmpty(), "no temperature: give at least one, for example 0");
    for (float t : options.temperatures()) {
      require(t >= 0 && t <= 1, "temperature %s: use 0 (greedy or beam search) to 1", t);
    }
    require(
        options.beamSize() >= 1 && options.beamSize() <= MAX_BEAM_SIZE,
        "beam size %d: use 1 (greedy) to %d",
        options.beamSize(),
        MAX_BEAM_SIZE);
    require(
        options.bestOf() >= 1 && options.bestOf() <= MAX_BEST_OF,
        "best of %d: use 1 to %d",
        options.bestOf(),
        MAX_BEST_OF);
    require(
        options.patience() > 0
            && options.patience() <= 100
            && BeamAttempt.candidates(options.beamSize(), options.patience()) >= 1,
        "patience %s: use a number above 0, at most 100, with at least half a beam (patience x beam size)",
        options.patience());
    Double penalty = options.lengthPenalty();
    require(
        penalty == null || (penalty >= 0 && penalty <= 1),
        "length penalty %s: use 0 to 1, or none",
        penalty);
  }

  private static void thresholds(TranscriptionOptions options) throws JobException {
    number("compression ratio threshold", options.compressionRatioThreshold());
    number("log-probability threshold", options.logprobThreshold());
    number("no-speech threshold", options.noSpeechThreshold());
    Double initial = options.maxInitialTimestamp();
    require(
        initial == null || (initial >= 0 && initial <= MAX_SECONDS),
        "maximum initial timestamp %s: use seconds from 0, or none",
        initial);
    Double silence = options.hallucinationSilenceThreshold();
    require(
        silence == null || (silence >= 0 && silence <= MAX_SECONDS),
        "hallucination silence threshold %s: use seconds from 0, or none",
        silence);
    require(
        silence == null || options.wordTimestamps(),
        "the hallucination silence threshold needs word timestamps: turn them on");
  }

  private static void number(String name, Double value) throws JobException {
    require(value == null || Double.isFinite(value), "%s %s: use a number, or none", name, value);
  }

  private static void prompt(String prompt) throws JobException {
    require(
        prompt == null || prompt.length() <= MAX_PROMPT_CHARS,
        "the initial prompt has more than %d characters; only its last %d tokens count",
        MAX_PROMPT_CHARS,
        Geometry.PROMPT_LENGTH);
  }

  private static void clips(List<Double> clips) throws JobException {
    for (int i = 0; i < clips.size(); i++) {
      Double at = clips.get(i);
      require(
          at != null && at >= 0 && at <= MAX_SECONDS,
          "clip timestamp %s: use seconds from 0 as start,end,start,end,...",
          at);
      require(
          i % 2 == 0 || at > clips.get(i - 1),
          "clip from %s to %s s: the end must be after the start",
          i % 2 == 0 ? null : clips.get(i - 1),
          at);
    }
  }

  private static String abridged(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "...";
  }

  private static void require(boolean valid, String message, Object... values) throws JobException {
    if (!valid) {
      throw new JobException(ErrorCode.INVALID_OPTION, String.format(message, values));
    }
  }
}
