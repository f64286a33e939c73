package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.JobOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What a user may ask of a transcription; the defaults are those of openai/whisper's library. */
public final class TranscriptionMixin {
  private static final String TEMPERATURES = "0,0.2,0.4,0.6,0.8,1";

  @Option(
      names = {"-l", "--language"},
      paramLabel = "LANG",
      description = "Spoken language, as a code or an English name (fr, French). Default: detect.")
  String language;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "transcribe",
      description = "${COMPLETION-CANDIDATES} (to English). Default: ${DEFAULT-VALUE}.")
  JobOptions.Task task;

  @Option(
      names = {"-w", "--word-timestamps"},
      description = "Find the start and end of every word.")
  boolean wordTimestamps;

  @Option(
      names = "--temperature",
      paramLabel = "T[,T...]",
      split = ",",
      defaultValue = TEMPERATURES,
      description =
          "Sampling temperatures, tried in order until a window is good enough; 0 alone never"
              + " samples. Default: "
              + TEMPERATURES
              + ".")
  List<Float> temperatures;

  @Option(
      names = "--beam-size",
      paramLabel = "N",
      defaultValue = "1",
      description = "Beams at temperature 0; 1 is greedy. Default: ${DEFAULT-VALUE}.")
  int beamSize;

  @Option(
      names = "--best-of",
      paramLabel = "N",
      defaultValue = "1",
      description = "Samples to choose from above temperature 0. Default: ${DEFAULT-VALUE}.")
  int bestOf;

  @Option(
      names = "--initial-prompt",
      paramLabel = "TEXT",
      description = "Text before the first window: names and words to expect.")
  String initialPrompt;

  @Option(
      names = "--condition-on-previous-text",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Feed the text so far to the next window, or don't. Default: do.")
  boolean conditionOnPreviousText;

  @Option(
      names = "--compression-ratio-threshold",
      paramLabel = "X|off",
      defaultValue = "2.4",
      converter = ThresholdConverter.class,
      description = "Retry a window whose text compresses better. Default: ${DEFAULT-VALUE}.")
  OptionalDouble compressionRatioThreshold;

  @Option(
      names = "--logprob-threshold",
      paramLabel = "X|off",
      defaultValue = "-1.0",
      converter = ThresholdConverter.class,
      description = "Retry a window that is less probable. Default: ${DEFAULT-VALUE}.")
  OptionalDouble logprobThreshold;

  @Option(
      names = "--no-speech-threshold",
      paramLabel = "X|off",
      defaultValue = "0.6",
      converter = ThresholdConverter.class,
      description = "Skip an improbable window more silent than this. Default: ${DEFAULT-VALUE}.")
  OptionalDouble noSpeechThreshold;

  @Option(
      names = "--hallucination-silence-threshold",
      paramLabel = "SECONDS",
      description = "Skip silences longer than this around doubtful words (needs -w).")
  Double hallucinationSilenceThreshold;

  @Option(
      names = "--clip-timestamps",
      paramLabel = "START,END,...",
      split = ",",
      description = "Transcribe only these clips, in seconds; the last end may be left out.")
  List<Double> clipTimestamps = new ArrayList<>();

  @Option(
      names = "--chunking",
      paramLabel = "HOW",
      defaultValue = "none",
      description =
          "Transcribe a long file in parts side by side, faster and without the text before each as"
              + " context: vad cuts at pauses and skips silence, fixed about every 30 s. Nothing is"
              + " published before the end, and a job whose worker is lost begins anew. none, vad or"
              + " fixed. Default: ${DEFAULT-VALUE}.")
  JobOptions.Chunking chunking;

  /**
   * The options of a job.
   *
   * @param languageCode code for a code or an English name, null for an unknown language; or null
   *     to leave the check to the worker
   */
  JobOptions options(Function<String, String> languageCode) throws CliException {
    check(
        !temperatures.isEmpty() && temperatures.stream().allMatch(t -> t >= 0 && t <= 1),
        "--temperature",
        "between 0 and 1, or several such numbers");
    check(beamSize >= 1 && beamSize <= 15, "--beam-size", "between 1 and 15");
    check(bestOf >= 1 && bestOf <= 16, "--best-of", "between 1 and 16");
    check(
        clipTimestamps.stream().allMatch(t -> t >= 0 && Double.isFinite(t)),
        "--clip-timestamps",
        "at least 0");
    check(clipsEndAfterTheyStart(), "--clip-timestamps", "START,END with each END after its START");
    if (hallucinationSilenceThreshold != null) {
      check(wordTimestamps, "--hallucination-silence-threshold", "used with --word-timestamps");
      check(hallucinationSilenceThreshold >= 0, "--hallucination-silence-threshold", "at least 0");
    }
    return new JobOptions(
        code(languageCode),
        task,
        wordTimestamps,
        initialPrompt,
        temperatures,
        beamSize,
        bestOf,
        conditionOnPreviousText,
        compressionRatioThreshold,
        logprobThreshold,
        noSpeechThreshold,
        hallucinationSilenceThreshold,
        clipTimestamps,
        chunking);
  }

  private boolean clipsEndAfterTheyStart() {
    for (int i = 1; i < clipTimestamps.size(); i += 2) {
      if (clipTimestamps.get(i) <= clipTimestamps.get(i - 1)) {
        return false;
      }
    }
    return true;
  }

  private String code(Function<String, String> languageCode) throws CliException {
    if (language == null || language.equalsIgnoreCase("auto")) {
      return null;
    }
    if (languageCode == null) {
      return language;
    }
    String code = languageCode.apply(language);
    if (code == null) {
      throw new CliException(
          ExitCodes.USAGE,
          "--language: unknown language '"
              + language
              + "'; give a code such as en, fr or zh, an English name such as French, or leave"
              + " the option out to detect it");
    }
    return code;
  }

  private static void check(boolean holds, String option, String rule) throws CliException {
    if (!holds) {
      throw new CliException(ExitCodes.USAGE, option + " must be " + rule);
    }
  }

  /** A number, or "off". */
  static final class ThresholdConverter implements ITypeConverter<OptionalDouble> {
    @Override
    public OptionalDouble convert(String value) {
      if (value.toLowerCase(Locale.ROOT).equals("off")) {
        return OptionalDouble.empty();
      }
      try {
        return OptionalDouble.of(Double.parseDouble(value));
      } catch (NumberFormatException e) {
        throw new TypeConversionException("'" + value + "' is neither a number nor 'off'");
      }
    }
  }
}
