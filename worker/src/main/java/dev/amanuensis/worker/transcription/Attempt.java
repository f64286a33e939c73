package dev.amanuensis.worker.transcription;

import java.util.List;

/** One pass over a window at one temperature. Opens and closes its own slots. */
interface Attempt {
  /** Rows of the next step. */
  int rows();

  /**
   * The rows of the next step.
   *
   * @param mostDraft tokens of a draft at most
   */
  List<StepRequest> next(int mostDraft);

  void accept(List<StepResult> results);

  /** Whether the search has ended; no slot is open then. */
  boolean done();

  /** The chosen sequence, once done. */
  Sequence best();

  /** Softmax of the unfiltered logits at the start of the transcript. */
  float noSpeechProb();

  /** The nearest tie among the choices, in logits; infinite if the search did not choose alone. */
  float minMargin();

  /** Closes what is open. */
  void close();

  /**
   * Sampled tokens without the end of text.
   *
   * @param sumLogprob accumulated in float, as the reference does; the end of text included
   */
  record Sequence(int[] tokens, float sumLogprob) {
    /** Mean over the tokens and the end of text. */
    double avgLogprob() {
      return (double) sumLogprob / (tokens.length + 1);
    }

    /**
     * Index of the highest rank: log-probability over length or penalty (MaximumLikelihoodRanker).
     */
    static int bestOf(List<Sequence> sequences, Double lengthPenalty) {
      int best = 0;
      double bestScore = 0;
      for (int i = 0; i < sequences.size(); i++) {
        int length = sequences.get(i).tokens.length;
        double penalty =
            lengthPenalty == null ? length : Math.pow((5.0 + length) / 6, lengthPenalty);
        double score = sequences.get(i).sumLogprob / penalty;
        if (i == 0 || score > bestScore) {
          best = i;
          bestScore = score;
        }
      }
      return best;
    }
  }
}
