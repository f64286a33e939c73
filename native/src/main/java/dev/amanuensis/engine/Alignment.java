package dev.amanuensis.engine;

/**
 * Where the text tokens of a window lie in its audio.
 *
 * @param startFrames one more than tokens: the frame (0.02 s) at which token k begins; the last is
 *     the end of the text
 * @param probabilities one per token
 */
public record Alignment(int[] startFrames, float[] probabilities) {}
