package dev.amanuensis.engine;

/**
 * Text of a window that is to be aligned with its audio.
 *
 * @param crossKv of the window; must stay open during the call
 * @param sotSequence start, language and task token, without the no-timestamps token
 * @param text the text tokens (below the end-of-text token) of all segments of the window
 * @param frames mel frames of the window that are audio
 */
public record AlignmentRequest(NativeBuffer crossKv, int[] sotSequence, int[] text, int frames) {}
