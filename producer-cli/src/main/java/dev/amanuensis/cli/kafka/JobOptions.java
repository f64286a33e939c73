package dev.amanuensis.cli.kafka;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * How to transcribe; openai/whisper's options.
 *
 * @param language null to detect it
 * @param initialPrompt or null
 * @param compressionRatioThreshold empty to switch it off, as the two after it
 * @param hallucinationSilenceThreshold seconds, or null to switch it off
 * @param clipTimestamps seconds: start, end, start, end, ...; empty for the whole file
 * @param chunking of a long file into parts that are transcribed side by side
 */
public record JobOptions(
    String language,
    Task task,
    boolean wordTimestamps,
    String initialPrompt,
    List<Float> temperatures,
    int beamSize,
    int bestOf,
    boolean conditionOnPreviousText,
    OptionalDouble compressionRatioThreshold,
    OptionalDouble logprobThreshold,
    OptionalDouble noSpeechThreshold,
    Double hallucinationSilenceThreshold,
    List<Double> clipTimestamps,
    Chunking chunking) {
  public JobOptions {
    temperatures = List.copyOf(temperatures);
    clipTimestamps = List.copyOf(clipTimestamps);
  }

  /** What is written: the words spoken, or their English translation. */
  public enum Task {
    TRANSCRIBE,
    TRANSLATE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How a long file is cut. */
  public enum Chunking {
    NONE,
    VAD,
    FIXED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
