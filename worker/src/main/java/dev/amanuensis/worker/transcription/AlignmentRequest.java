package dev.amanuensis.worker.transcription;

/**
 * Text to align with the window just decoded, as {@code am_align_request} takes it.
 *
 * @param sotSequence start of transcript, language, task
 * @param textTokens text tokens of all segments of the window; not empty
 * @param frames of audio in the window
 */
public record AlignmentRequest(int[] sotSequence, int[] textTokens, int frames) {}
