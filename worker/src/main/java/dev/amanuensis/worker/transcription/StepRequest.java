package dev.amanuensis.worker.transcription;

/**
 * One row of a decoding step, as {@code am_step} takes it.
 *
 * @param slot as the {@link SequencePort} returned it
 * @param tokens to append: the initial tokens first, then one by one
 * @param draft a guess at the tokens that will be chosen after these; with temperature 0 and no
 *     candidates only
 * @param prompt these are initial tokens: sampling begins after them
 * @param noSpeechRow index in {@code tokens} whose row gives the no-speech probability; -1: not
 *     wanted
 * @param topK candidates wanted (beam search); 0: one token
 * @param temperature 0: argmax; above: a sample
 * @param uniform in [0, 1): the random number of the sample
 */
public record StepRequest(
    int slot,
    int[] tokens,
    int[] draft,
    boolean prompt,
    int noSpeechRow,
    int topK,
    float temperature,
    double uniform) {
  private static final int[] NO_DRAFT = {};

  /** Without a draft. */
  public StepRequest(
      int slot,
      int[] tokens,
      boolean prompt,
      int noSpeechRow,
      int topK,
      float temperature,
      double uniform) {
    this(slot, tokens, NO_DRAFT, prompt, noSpeechRow, topK, temperature, uniform);
  }
}
