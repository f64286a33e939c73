package dev.amanuensis.worker.transcription;

/**
 * The tokens of one window.
 *
 * @param tokens sampled ones, without the end of text
 * @param text of the tokens, stripped
 * @param avgLogprob mean log-probability, the end of text included
 * @param noSpeechProb probability of silence at the start of the window
 * @param temperature that gave the tokens
 * @param compressionRatio of the text
 * @param attempts temperatures tried
 * @param steps decoding steps over all attempts
 * @param minMargin the nearest tie among the choices of the last attempt, in logits
 */
public record DecodingResult(
    int[] tokens,
    String text,
    double avgLogprob,
    double noSpeechProb,
    double temperature,
    double compressionRatio,
    int attempts,
    int steps,
    float minMargin) {}
