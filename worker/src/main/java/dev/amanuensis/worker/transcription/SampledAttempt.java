package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Greedy decoding at temperature 0, independent samples above (openai/whisper GreedyDecoder). */
final class SampledAttempt implements Attempt {
  private static final int[] NO_TOKENS = {};

  private final SequencePort port;
  private final SlotOptions slotOptions;
  private final InitialTokens initial;
  private final int eot;
  private final float temperature;
  private final Double lengthPenalty;
  private final List<Sample> samples = new ArrayList<>();

  /** Tokens of the initial ones that are in the decoder. */
  private int primed;

  private int steps;
  private float noSpeechProb = Float.NaN;
  private float minMargin = Float.POSITIVE_INFINITY;

  private static final class Sample {
    final SplittableRandom random;
    int slot = -1;
    int[] tokens = new int[32];
    int count;
    float sumLogprob;
    boolean ended;

    Sample(long seed) {
      random = new SplittableRandom(seed);
    }

    void append(int token) {
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
      }
      tokens[count++] = token;
    }
  }

  /**
   * @param seeds of the samples' random numbers; one sample each
   */
  SampledAttempt(
      SequencePort port,
      SlotOptions slotOptions,
      InitialTokens initial,
      int eot,
      float temperature,
      Double lengthPenalty,
      long[] seeds) {
    this.port = port;
    this.slotOptions = slotOptions;
    this.initial = initial;
    this.eot = eot;
    this.temperature = temperature;
    this.lengthPenalty = lengthPenalty;
    for (long seed : seeds) {
      samples.add(new Sample(seed));
    }
  }

  @Override
  public int rows() {
    if (priming()) {
      return 1;
    }
    return (int) samples.stream().filter(s -> !s.ended).count();
  }

  /** Several samples share one pass over all initial tokens but the last, and fork then. */
  private boolean priming() {
    return samples.size() > 1 && primed == 0 && initial.tokens().length > 1;
  }

  @Override
  public List<StepRequest> next() {
    int[] tokens = initial.tokens();
    if (primed == 0 && samples.get(0).slot < 0) {
      samples.get(0).slot = port.open(slotOptions);
    }
    if (priming()) {
      int[] head = Arrays.copyOf(tokens, tokens.length - 1);
      int sot = initial.sotIndex() < head.length ? initial.sotIndex() : -1;
      return List.of(new StepRequest(samples.get(0).slot, head, true, sot, 0, 0f, 0.0));
    }
    List<StepRequest> requests = new ArrayList<>(samples.size());
    for (Sample sample : samples) {
      if (sample.ended) {
        continue;
      }
      boolean first = steps == 0;
      if (first && sample.slot < 0) {
        sample.slot = primed == 0 ? port.open(slotOptions) : port.fork(samples.get(0).slot);
      }
      int[] input =
          first
              ? Arrays.copyOfRange(tokens, primed, tokens.length)
              : new int[] {sample.tokens[sample.count - 1]};
      int sot = first && initial.sotIndex() >= primed ? initial.sotIndex() - primed : -1;
      double uniform = temperature > 0 ? sample.random.nextDouble() : 0.0;
      requests.add(new StepRequest(sample.slot, input, first, sot, 0, temperature, uniform));
    }
    return requests;
  }

  @Override
  public void accept(List<StepResult> results) {
    noteNoSpeech(results.get(0));
    if (priming()) {
      primed = initial.tokens().length - 1;
      return;
    }
    primed = initial.tokens().length;
    steps++;
    boolean full =
        steps == Geometry.SAMPLE_LENGTH || initial.tokens().length + steps > Geometry.TEXT_CONTEXT;
    int row = 0;
    for (Sample sample : samples) {
      if (sample.ended) {
        continue;
      }
      StepResult result = results.get(row++);
      sample.sumLogprob += result.logprob();
      minMargin = Math.min(minMargin, result.margin());
      if (result.token() == eot) {
        end(sample);
      } else {
        sample.append(result.token());
        if (full) {
          end(sample);
        }
      }
    }
  }

  private void noteNoSpeech(StepResult result) {
    if (steps == 0 && Float.isNaN(noSpeechProb)) {
      noSpeechProb = result.noSpeechProb();
    }
  }

  private void end(Sample sample) {
    int slot = sample.slot;
    sample.ended = true;
    sample.slot = -1;
    port.close(slot);
  }

  @Override
  public boolean done() {
    return samples.stream().allMatch(s -> s.ended);
  }

  @Override
  public Sequence best() {
    List<Sequence> sequences = new ArrayList<>();
    for (Sample s : samples) {
      int[] tokens = s.count == 0 ? NO_TOKENS : Arrays.copyOf(s.tokens, s.count);
      sequences.add(new Sequence(tokens, s.sumLogprob));
    }
    return sequences.get(Sequence.bestOf(sequences, lengthPenalty));
  }

  @Override
  public float noSpeechProb() {
    return noSpeechProb;
  }

  @Override
  public float minMargin() {
    return minMargin;
  }

  @Override
  public void close() {
    for (Sample sample : samples) {
      if (sample.slot >= 0) {
        end(sample);
      }
    }
  }
}
