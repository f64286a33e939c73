package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.TranscriptionOptions;
import java.util.List;

/**
 * Decodes one window: greedy, sampled or beam search, again at the next temperature while the
 * result fails the thresholds. A state machine that one thread drives: {@link #next()}, the
 * decoder's step, {@link #accept}, until {@link #done()}. Its results do not depend on what else is
 * in the batch.
 */
public final class DecodingTask implements AutoCloseable {
  private final DecodingRequest request;
  private final TranscriptionOptions options;
  private final Tokenizer tokenizer;
  private final SequencePort port;
  private final SlotOptions slotOptions;
  private final InitialTokens initial;
  private final int mostAttempts;

  private int temperatureIndex;
  private int steps;
  private Attempt attempt;
  private boolean awaiting;
  private DecodingResult result;

  public DecodingTask(DecodingRequest request, Tokenizer tokenizer, SequencePort port) {
    this(request, tokenizer, port, Integer.MAX_VALUE);
  }

  /**
   * @param mostAttempts temperatures to try at most, whatever the last one's result
   */
  public DecodingTask(
      DecodingRequest request, Tokenizer tokenizer, SequencePort port, int mostAttempts) {
    this.mostAttempts = Math.min(mostAttempts, request.options().temperatures().size());
    this.request = request;
    this.options = request.options();
    this.tokenizer = tokenizer;
    this.port = port;
    this.slotOptions =
        new SlotOptions(
            true,
            !options.withoutTimestamps(),
            maxInitialTimestamp(options.maxInitialTimestamp()),
            tokenizer.suppressed(options.suppressTokens()));
    this.initial = InitialTokens.of(request, tokenizer);
    this.attempt = newAttempt();
  }

  /** Index of the largest first timestamp; 0 s and none both mean no limit, as in the reference. */
  private static int maxInitialTimestamp(Double seconds) {
    if (seconds == null || seconds == 0) {
      return -1;
    }
    double index = Math.rint(seconds / Geometry.TIMESTAMP_SECONDS);
    return index > Geometry.WINDOW_FRAMES / Geometry.FRAMES_PER_TIMESTAMP ? -1 : (int) index;
  }

  private Attempt newAttempt() {
    float temperature = options.temperatures().get(temperatureIndex);
    if (temperature == 0 && options.beamSize() > 1) {
      return new BeamAttempt(
          port,
          slotOptions,
          initial,
          tokenizer.eot(),
          options.beamSize(),
          options.patience(),
          options.lengthPenalty());
    }
    long[] seeds = new long[temperature > 0 ? options.bestOf() : 1];
    for (int i = 0; i < seeds.length; i++) {
      seeds[i] = seed(options.seed(), request.seek(), temperatureIndex, i);
    }
    Drafter drafter =
        temperature > 0
            ? null
            : new Drafter(request.expected(), tokenizer, slotOptions.timestamps());
    return new SampledAttempt(
        port,
        slotOptions,
        initial,
        tokenizer.eot(),
        drafter,
        temperature,
        options.lengthPenalty(),
        seeds);
  }

  /**
   * One number from several, so that neighbours give unrelated sequences (SplitMix64's finalizer).
   */
  private static long seed(long... parts) {
    long mixed = 0;
    for (long part : parts) {
      mixed = (mixed ^ part) + 0x9E3779B97F4A7C15L;
      mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
      mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
      mixed ^= mixed >>> 31;
    }
    return mixed;
  }

  /** Slots open at any time, at most. */
  public int maxSlots() {
    return request.maxSlots();
  }

  /** Slots that the attempt under way has open at any time, at most. */
  public int slots() {
    return request.slots(temperatureIndex);
  }

  /** The attempt under way, from 0. None of its slots is open before its first {@link #next()}. */
  public int attempt() {
    return temperatureIndex;
  }

  /** Rows that {@link #next()} will return, at most {@link #slots()}. */
  public int rows() {
    return result == null ? attempt.rows() : 0;
  }

  public boolean done() {
    return result != null;
  }

  /**
   * The rows of this task's next step; opens and forks slots where it has to. Not when done.
   *
   * @param mostDraft tokens of a draft at most: it changes the number of steps, nothing else
   */
  public List<StepRequest> next(int mostDraft) {
    if (awaiting || done()) {
      throw new IllegalStateException(done() ? "the window is done" : "results are awaited");
    }
    awaiting = true;
    return attempt.next(mostDraft);
  }

  /** Takes the results of the rows, in their order; reorders and closes slots. */
  public void accept(List<StepResult> results) {
    if (!awaiting || results.size() != attempt.rows()) {
      throw new IllegalStateException(
          results.size() + " results for " + (awaiting ? attempt.rows() : 0) + " rows");
    }
    awaiting = false;
    steps++;
    attempt.accept(results);
    if (!attempt.done()) {
      return;
    }
    DecodingResult outcome = outcome();
    boolean last = temperatureIndex == mostAttempts - 1;
    if (last || !needsFallback(outcome)) {
      result = outcome;
    } else {
      temperatureIndex++;
      attempt = newAttempt();
    }
  }

  private DecodingResult outcome() {
    Attempt.Sequence best = attempt.best();
    String text = PythonText.strip(tokenizer.decode(best.tokens()));
    return new DecodingResult(
        best.tokens(),
        text,
        best.avgLogprob(),
        attempt.noSpeechProb(),
        Double.parseDouble(Float.toString(options.temperatures().get(temperatureIndex))),
        CompressionRatio.of(text),
        temperatureIndex + 1,
        steps,
        attempt.minMargin());
  }

  /** Too repetitive or too unlikely, unless it is silence. */
  private boolean needsFallback(DecodingResult outcome) {
    Double ratio = options.compressionRatioThreshold();
    Double logprob = options.logprobThreshold();
    Double silence = options.noSpeechThreshold();
    boolean repetitive = ratio != null && outcome.compressionRatio() > ratio;
    boolean unlikely = logprob != null && outcome.avgLogprob() < logprob;
    boolean silent = unlikely && silence != null && outcome.noSpeechProb() > silence;
    return !silent && (repetitive || unlikely);
  }

  /** Once {@link #done()}. */
  public DecodingResult result() {
    if (result == null) {
      throw new IllegalStateException("the window is not done");
    }
    return result;
  }

  /** Once {@link #done()}: whether the result fails the job's own thresholds. */
  public boolean failed() {
    return needsFallback(result());
  }

  /** Closes the slots that are still open; for cancelled and failed windows. */
  @Override
  public void close() {
    attempt.close();
  }
}
