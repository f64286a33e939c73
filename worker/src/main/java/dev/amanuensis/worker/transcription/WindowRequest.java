package dev.amanuensis.worker.transcription;

/**
 * The next window a {@link Transcription} wants decoded.
 *
 * @param seek first frame (10 ms)
 * @param frames of audio, 1 to 3000; the rest of the window is padding
 * @param decoding how to decode it: make a {@link DecodingTask} of it
 */
public record WindowRequest(long seek, int frames, DecodingRequest decoding) {}
