package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.TranscriptionOptions;

/**
 * What decoding one window needs to know besides its audio.
 *
 * @param options of the job, checked by {@link OptionCheck}
 * @param language code
 * @param seek frame (10 ms) at which the window starts: part of the random seed
 * @param prompt tokens before the window, untruncated; may be empty
 * @param prefix tokens that the window's text is known to start with; may be empty
 */
public record DecodingRequest(
    TranscriptionOptions options, String language, long seek, int[] prompt, int[] prefix) {

  /** The largest number of slots a {@link DecodingTask} for this request has open at any time. */
  public int maxSlots() {
    int slots = 1;
    for (float t : options.temperatures()) {
      slots = Math.max(slots, t > 0 ? options.bestOf() : options.beamSize());
    }
    return slots;
  }
}
