package dev.amanuensis.worker.transcription;

/**
 * A part of a file, in frames of 10 ms.
 *
 * @param first frame
 * @param end frame after the last; at most 30 s after the first
 */
record Chunk(long first, long end) {
  long frames() {
    return end - first;
  }
}
