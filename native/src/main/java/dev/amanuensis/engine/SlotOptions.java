package dev.amanuensis.engine;

/**
 * Logit filters of one sequence (openai/whisper: SuppressBlank, SuppressTokens,
 * ApplyTimestampRules).
 *
 * @param timestamps false: without_timestamps
 * @param maxInitialTimestamp latest first timestamp in steps of 0.02 s (50 = 1.0 s); -1: no limit
 * @param suppress token ids that are never chosen
 */
public record SlotOptions(
    boolean suppressBlank, boolean timestamps, int maxInitialTimestamp, int[] suppress) {}
