package dev.amanuensis.worker.transcription;

import java.util.List;

/**
 * What the decoder chose for one row, as {@code am_step_result} gives it.
 *
 * @param confirmed one for each token of the draft that was chosen, from its first one on
 * @param token chosen from the filtered logits, after those that are confirmed
 * @param logprob log-softmax of the filtered logits at temperature 1, at {@code token}
 * @param noSpeechProb NaN if not asked for
 * @param topTokens by descending log-probability; empty unless asked for
 * @param topLogprobs of {@code topTokens}
 * @param margin best minus second-best filtered logit: how near to a tie the choice was
 */
public record StepResult(
    List<Confirmed> confirmed,
    int token,
    float logprob,
    float noSpeechProb,
    int[] topTokens,
    float[] topLogprobs,
    float margin) {

  /** The choice of a token that was guessed: log-probability and margin as above. */
  public record Confirmed(float logprob, float margin) {}

  /** Of a request without a draft. */
  public StepResult(
      int token,
      float logprob,
      float noSpeechProb,
      int[] topTokens,
      float[] topLogprobs,
      float margin) {
    this(List.of(), token, logprob, noSpeechProb, topTokens, topLogprobs, margin);
  }
}
