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
  private final Drafter drafter;
  private final float temperature;
  private final Double lengthPenalty;
  private final List<Sample> samples = new ArrayList<>();

  /** Tokens of the initial ones that are in the decoder. */
  private int primed;

  /** Tokens that each sample has chosen unless it has ended, the end of text included. */
  private int chosen;

  private int[] draft = NO_TOKENS;
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
   * @param drafter of a greedy attempt; null where tokens are sampled
   * @param seeds of the samples' random numbers; one sample each
   */
  SampledAttempt(
      SequencePort port,
      SlotOptions slotOptions,
      InitialTokens initial,
      int eot,
      Drafter drafter,
      float temperature,
      Double lengthPenalty,
      long[] seeds) {
    this.port = port;
    this.slotOptions = slotOptions;
    this.initial = initial;
    this.eot = eot;
    this.drafter = drafter;
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
  public List<StepRequest> next(int mostDraft) {
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
      boolean first = chosen == 0;
      if (first && sample.slot < 0) {
        sample.slot = primed == 0 ? port.open(slotOptions) : port.fork(samples.get(0).slot);
      }
      int[] input =
          first
              ? Arrays.copyOfRange(tokens, primed, tokens.length)
              : new int[] {sample.tokens[sample.count - 1]};
      int sot = first && initial.sotIndex() >= primed ? initial.sotIndex() - primed : -1;
      double uniform = temperature > 0 ? sample.random.nextDouble() : 0.0;
      draft = draft(sample, mostDraft);
      requests.add(new StepRequest(sample.slot, input, draft, first, sot, 0, temperature, uniform));
    }
    return requests;
  }

  private int[] draft(Sample sample, int most) {
    if (drafter == null) {
      return NO_TOKENS;
    }
    int room = Math.min(most, mostTokens() - chosen - 1);
    return drafter.next(sample.tokens, sample.count, room);
  }

  /** As many tokens as a sample may choose. */
  private int mostTokens() {
    return Math.min(Geometry.SAMPLE_LENGTH, Geometry.TEXT_CONTEXT + 1 - initial.tokens().length);
  }

  @Override
  public void accept(List<StepResult> results) {
    noteNoSpeech(results.get(0));
    if (priming()) {
      primed = initial.tokens().length - 1;
      return;
    }
    primed = initial.tokens().length;
    int confirmed = results.get(0).confirmed().size();
    int row = 0;
    for (Sample sample : samples) {
      if (sample.ended) {
        continue;
      }
      StepResult result = results.get(row++);
      for (int i = 0; i < confirmed; i++) {
        StepResult.Confirmed token = result.confirmed().get(i);
        note(sample, token.logprob(), token.margin());
        sample.append(draft[i]);
      }
      note(sample, result.logprob(), result.margin());
      if (result.token() == eot) {
        end(sample);
      } else {
        sample.append(result.token());
        if (chosen + confirmed + 1 == mostTokens()) {
          end(sample);
        }
      }
    }
    chosen += confirmed + 1;
  }

  private void note(Sample sample, float logprob, float margin) {
    sample.sumLogprob += logprob;
    minMargin = Math.min(minMargin, margin);
  }

  private void noteNoSpeech(StepResult result) {
    if (chosen == 0 && Float.isNaN(noSpeechProb)) {
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
