package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Beam search (openai/whisper BeamSearchDecoder). Ties keep the order of beams and candidates. */
final class BeamAttempt implements Attempt {
  private final SequencePort port;
  private final SlotOptions slotOptions;
  private final InitialTokens initial;
  private final int eot;
  private final int beamSize;
  private final int maxFinished;
  private final Double lengthPenalty;

  /** Live sequences, best first; slots[i] holds live.get(i). */
  private List<Sequence> live = List.of(new Sequence(new int[0], 0f));

  private final List<Sequence> finished = new ArrayList<>();
  private int[] slots = {};
  private int steps;
  private float noSpeechProb = Float.NaN;
  private boolean done;

  /** A live sequence and a token that may follow it. */
  private record Candidate(int source, int token, float sumLogprob) {}

  BeamAttempt(
      SequencePort port,
      SlotOptions slotOptions,
      InitialTokens initial,
      int eot,
      int beamSize,
      double patience,
      Double lengthPenalty) {
    this.port = port;
    this.slotOptions = slotOptions;
    this.initial = initial;
    this.eot = eot;
    this.beamSize = beamSize;
    this.maxFinished = candidates(beamSize, patience);
    this.lengthPenalty = lengthPenalty;
  }

  /** Finished sequences after which the search stops. */
  static int candidates(int beamSize, double patience) {
    return (int) Math.rint(beamSize * patience);
  }

  @Override
  public int rows() {
    return live.size();
  }

  @Override
  public List<StepRequest> next(int mostDraft) {
    int topK = beamSize + 1;
    if (steps == 0) {
      // All beams are the same until the first choice: one row stands for them.
      if (slots.length == 0) {
        slots = new int[] {port.open(slotOptions)};
      }
      return List.of(
          new StepRequest(slots[0], initial.tokens(), true, initial.sotIndex(), topK, 0f, 0.0));
    }
    List<StepRequest> requests = new ArrayList<>(live.size());
    for (int i = 0; i < live.size(); i++) {
      int[] tokens = live.get(i).tokens();
      int[] last = {tokens[tokens.length - 1]};
      requests.add(new StepRequest(slots[i], last, false, -1, topK, 0f, 0.0));
    }
    return requests;
  }

  @Override
  public void accept(List<StepResult> results) {
    if (steps == 0) {
      noSpeechProb = results.get(0).noSpeechProb();
    }
    steps++;
    List<Sequence> nextLive = new ArrayList<>(beamSize);
    int[] sources = new int[beamSize];
    for (Candidate candidate : ranked(results)) {
      int[] prefix = live.get(candidate.source).tokens();
      if (candidate.token == eot) {
        if (finished.size() < maxFinished) {
          finished.add(new Sequence(prefix, candidate.sumLogprob));
        }
        continue;
      }
      int[] tokens = WordSplitter.concat(prefix, new int[] {candidate.token});
      sources[nextLive.size()] = candidate.source;
      nextLive.add(new Sequence(tokens, candidate.sumLogprob));
      if (nextLive.size() == beamSize) {
        break;
      }
    }
    live = nextLive;
    if (finished.size() >= maxFinished
        || live.isEmpty()
        || steps == Geometry.SAMPLE_LENGTH
        || initial.tokens().length + steps > Geometry.TEXT_CONTEXT) {
      finish();
    } else {
      arrange(sources);
    }
  }

  /** Candidates of all beams by descending probability; equal ones stay in their order. */
  private List<Candidate> ranked(List<StepResult> results) {
    List<Candidate> candidates = new ArrayList<>(results.size() * (beamSize + 1));
    for (int i = 0; i < results.size(); i++) {
      StepResult result = results.get(i);
      float sum = live.get(i).sumLogprob();
      for (int k = 0; k < result.topTokens().length; k++) {
        candidates.add(new Candidate(i, result.topTokens()[k], sum + result.topLogprobs()[k]));
      }
    }
    candidates.sort(Comparator.comparingDouble(c -> 0.0 - c.sumLogprob));
    return candidates;
  }

  /** Makes slots[i] hold live.get(i), which continues what slots[sources[i]] holds. */
  private void arrange(int[] sources) {
    int n = live.size();
    while (slots.length < n) {
      // Only after the first step, when all beams continue the one slot.
      slots = Arrays.copyOf(slots, slots.length + 1);
      slots[slots.length - 1] = -1;
      slots[slots.length - 1] = port.fork(slots[0]);
      sources[slots.length - 1] = slots.length - 1;
    }
    int[] all = Arrays.copyOf(sources, slots.length);
    for (int i = n; i < all.length; i++) {
      all[i] = i;
    }
    for (int i = 0; i < all.length; i++) {
      if (all[i] != i) {
        port.reorder(slots, all);
        break;
      }
    }
    while (slots.length > n) {
      int extra = slots[slots.length - 1];
      slots = Arrays.copyOf(slots, slots.length - 1);
      port.close(extra);
    }
  }

  private void finish() {
    done = true;
    if (finished.size() < beamSize) {
      List<Sequence> byScore = new ArrayList<>(live);
      byScore.sort(Comparator.comparingDouble(Sequence::sumLogprob));
      for (int i = byScore.size() - 1; i >= 0 && finished.size() < beamSize; i--) {
        finished.add(byScore.get(i));
      }
    }
    close();
  }

  @Override
  public boolean done() {
    return done;
  }

  @Override
  public Sequence best() {
    return finished.get(Sequence.bestOf(finished, lengthPenalty));
  }

  @Override
  public float noSpeechProb() {
    return noSpeechProb;
  }

  @Override
  public float minMargin() {
    return Float.POSITIVE_INFINITY;
  }

  @Override
  public void close() {
    int[] open = slots;
    slots = new int[0];
    for (int slot : open) {
      if (slot >= 0) {
        port.close(slot);
      }
    }
  }
}
