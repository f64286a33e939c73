package dev.amanuensis.worker.transcription;

/**
 * Logit filters of a sequence, as {@code am_slot_options} takes them.
 *
 * @param suppressBlank mask a blank and the end of text as first token
 * @param timestamps apply the timestamp rules; false: sample text only
 * @param maxInitialTimestamp largest first timestamp in steps of 0.02 s; -1: no limit
 * @param suppress token ids that are never chosen, ascending
 */
public record SlotOptions(
    boolean suppressBlank, boolean timestamps, int maxInitialTimestamp, int[] suppress) {}
