package dev.amanuensis.worker.job;

import java.util.List;

/**
 * What the user may ask of one transcription; defaults are those of openai/whisper's transcribe()
 * (whisper/transcribe.py, whisper/decoding.py).
 *
 * @param language ISO code or English name of the language, null to detect it
 * @param task transcribe or translate (to English)
 * @param wordTimestamps also align words
 * @param initialPrompt text before the first window, or null
 * @param carryInitialPrompt prepend the prompt to every window
 * @param temperatures tried in order until a window passes the thresholds
 * @param beamSize beams at temperature 0; 1 is greedy
 * @param bestOf samples per window above temperature 0
 * @param patience beam search patience; 1.0 is the plain rule
 * @param lengthPenalty alpha of ((5 + n) / 6)^alpha, null for the plain mean
 * @param compressionRatioThreshold text that compresses better is a repetition loop; null: off
 * @param logprobThreshold average log-probability below which a window is retried; null: off
 * @param noSpeechThreshold probability above which an unlikely window is silence; null: off
 * @param conditionOnPreviousText feed the text so far as prompt
 * @param hallucinationSilenceThreshold seconds; null: off; needs word timestamps
 * @param clipTimestamps seconds: start, end, start, end, ...; empty: the whole file
 * @param suppressTokens ids; a list of -1 alone means the non-speech set
 * @param withoutTimestamps sample text without timestamp tokens
 * @param maxInitialTimestamp seconds; null: no limit
 * @param seed of the sampling above temperature 0
 * @param chunking of a long file into parts that are transcribed side by side
 */
public record TranscriptionOptions(
    String language,
    Task task,
    boolean wordTimestamps,
    String initialPrompt,
    boolean carryInitialPrompt,
    List<Float> temperatures,
    int beamSize,
    int bestOf,
    double patience,
    Double lengthPenalty,
    Double compressionRatioThreshold,
    Double logprobThreshold,
    Double noSpeechThreshold,
    boolean conditionOnPreviousText,
    Double hallucinationSilenceThreshold,
    List<Double> clipTimestamps,
    List<Integer> suppressTokens,
    boolean withoutTimestamps,
    Double maxInitialTimestamp,
    long seed,
    Chunking chunking) {

  /** What the model is asked to write. */
  public enum Task {
    TRANSCRIBE,
    TRANSLATE
  }

  public static final TranscriptionOptions DEFAULTS =
      new TranscriptionOptions(
          null,
          Task.TRANSCRIBE,
          false,
          null,
          false,
          List.of(0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f),
          1,
          1,
          1.0,
          null,
          2.4,
          -1.0,
          0.6,
          true,
          null,
          List.of(),
          List.of(-1),
          false,
          1.0,
          0L,
          Chunking.NONE);

  public TranscriptionOptions {
    temperatures = List.copyOf(temperatures);
    clipTimestamps = List.copyOf(clipTimestamps);
    suppressTokens = List.copyOf(suppressTokens);
  }

  /** The same for other parts of the file, in other chunks. */
  public TranscriptionOptions with(List<Double> otherClips, Chunking otherChunking) {
    return copy(language, wordTimestamps, temperatures, beamSize, otherClips, otherChunking);
  }

  /** The same but for this. */
  public TranscriptionOptions withLanguage(String wanted) {
    return copy(wanted, wordTimestamps, temperatures, beamSize, clipTimestamps, chunking);
  }

  /** The same but for this. */
  public TranscriptionOptions withWordTimestamps(boolean wanted) {
    return copy(language, wanted, temperatures, beamSize, clipTimestamps, chunking);
  }

  /** The same but for this. */
  public TranscriptionOptions withTemperatures(List<Float> wanted) {
    return copy(language, wordTimestamps, wanted, beamSize, clipTimestamps, chunking);
  }

  /** The same but for this. */
  public TranscriptionOptions withBeamSize(int wanted) {
    return copy(language, wordTimestamps, temperatures, wanted, clipTimestamps, chunking);
  }

  private TranscriptionOptions copy(
      String otherLanguage,
      boolean otherWordTimestamps,
      List<Float> otherTemperatures,
      int otherBeamSize,
      List<Double> otherClips,
      Chunking otherChunking) {
    return new TranscriptionOptions(
        otherLanguage,
        task,
        otherWordTimestamps,
        initialPrompt,
        carryInitialPrompt,
        otherTemperatures,
        otherBeamSize,
        bestOf,
        patience,
        lengthPenalty,
        compressionRatioThreshold,
        logprobThreshold,
        noSpeechThreshold,
        conditionOnPreviousText,
        hallucinationSilenceThreshold,
        otherClips,
        suppressTokens,
        withoutTimestamps,
        maxInitialTimestamp,
        seed,
        otherChunking);
  }
}
