package dev.amanuensis.worker.job;

/**
 * A word with its times in seconds from the start of the file.
 *
 * @param text with its leading space, as openai/whisper prints it
 */
public record Word(String text, double start, double end, double probability) {}
