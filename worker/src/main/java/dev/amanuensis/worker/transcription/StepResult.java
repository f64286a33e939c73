package dev.amanuensis.worker.transcription;

/**
 * What the decoder chose for one row, as {@code am_step_result} gives it.
 *
 * @param token chosen from the filtered logits
 * @param logprob log-softmax of the filtered logits at temperature 1, at {@code token}
 * @param noSpeechProb NaN if not asked for
 * @param topTokens by descending log-probability; empty unless asked for
 * @param topLogprobs of {@code topTokens}
 * @param margin best minus second-best filtered logit: how near to a tie the choice was
 */
public record StepResult(
    int token,
    float logprob,
    float noSpeechProb,
    int[] topTokens,
    float[] topLogprobs,
    float margin) {}
