package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionOptions.Task;
import java.util.List;

/** Options to change one by one, from the defaults. */
final class TestOptions {
  private static final TranscriptionOptions D = TranscriptionOptions.DEFAULTS;
  String language = "en";
  Task task = D.task();
  boolean wordTimestamps = D.wordTimestamps();
  String initialPrompt = D.initialPrompt();
  boolean carryInitialPrompt = D.carryInitialPrompt();
  List<Float> temperatures = D.temperatures();
  int beamSize = D.beamSize();
  int bestOf = D.bestOf();
  double patience = D.patience();
  Double lengthPenalty = D.lengthPenalty();
  Double compressionRatioThreshold = D.compressionRatioThreshold();
  Double logprobThreshold = D.logprobThreshold();
  Double noSpeechThreshold = D.noSpeechThreshold();
  boolean conditionOnPreviousText = D.conditionOnPreviousText();
  Double hallucinationSilenceThreshold = D.hallucinationSilenceThreshold();
  List<Double> clipTimestamps = D.clipTimestamps();
  List<Integer> suppressTokens = D.suppressTokens();
  boolean withoutTimestamps = D.withoutTimestamps();
  Double maxInitialTimestamp = D.maxInitialTimestamp();
  long seed = D.seed();

  TranscriptionOptions build() {
    return new TranscriptionOptions(
        language,
        task,
        wordTimestamps,
        initialPrompt,
        carryInitialPrompt,
        temperatures,
        beamSize,
        bestOf,
        patience,
        lengthPenalty,
        compressionRatioThreshold,
        logprobThreshold,
        noSpeechThreshold,
        conditionOnPreviousText,
        hallucinationSilenceThreshold,
        clipTimestamps,
        suppressTokens,
        withoutTimestamps,
        maxInitialTimestamp,
        seed);
  }
}
