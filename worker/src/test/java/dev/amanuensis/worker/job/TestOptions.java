package dev.amanuensis.worker.job;

import dev.amanuensis.worker.job.TranscriptionOptions.Task;
import java.util.List;

/** Options to change one by one, from the defaults. */
public final class TestOptions {
  private static final TranscriptionOptions D = TranscriptionOptions.DEFAULTS;
  public String language = "en";
  public Task task = D.task();
  public boolean wordTimestamps = D.wordTimestamps();
  public String initialPrompt = D.initialPrompt();
  public boolean carryInitialPrompt = D.carryInitialPrompt();
  public List<Float> temperatures = D.temperatures();
  public int beamSize = D.beamSize();
  public int bestOf = D.bestOf();
  public double patience = D.patience();
  public Double lengthPenalty = D.lengthPenalty();
  public Double compressionRatioThreshold = D.compressionRatioThreshold();
  public Double logprobThreshold = D.logprobThreshold();
  public Double noSpeechThreshold = D.noSpeechThreshold();
  public boolean conditionOnPreviousText = D.conditionOnPreviousText();
  public Double hallucinationSilenceThreshold = D.hallucinationSilenceThreshold();
  public List<Double> clipTimestamps = D.clipTimestamps();
  public List<Integer> suppressTokens = D.suppressTokens();
  public boolean withoutTimestamps = D.withoutTimestamps();
  public Double maxInitialTimestamp = D.maxInitialTimestamp();
  public long seed = D.seed();
  public Chunking chunking = D.chunking();

  public TranscriptionOptions build() {
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
        seed,
        chunking);
  }
}
