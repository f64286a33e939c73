package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.TranscriptionOptions;
import java.util.stream.IntStream;

/**
 * What decoding one window needs to know besides its audio.
 *
 * @param options of the job, checked by {@link OptionCheck}
 * @param language code
 * @param seek frame (10 ms) at which the window starts: part of the random seed
 * @param prompt tokens before the window, untruncated; may be empty
 * @param prefix tokens that the window's text is known to start with; may be empty
 * @param expected what it may say again: makes it faster, changes no result
 */
public record DecodingRequest(
    TranscriptionOptions options,
    String language,
    long seek,
    int[] prompt,
    int[] prefix,
    Expected expected) {

  /** With nothing expected. */
  public DecodingRequest(
      TranscriptionOptions options, String language, long seek, int[] prompt, int[] prefix) {
    this(options, language, seek, prompt, prefix, Expected.NOTHING);
  }

  /** Slots that the attempt at this index of the temperatures has open at any time, at most. */
  int slots(int attempt) {
    return Math.max(
        1, options.temperatures().get(attempt) > 0 ? options.bestOf() : options.beamSize());
  }

  /** Slots of the first attempt: all that most windows ever need. */
  public int firstSlots() {
    return slots(0);
  }

  /** The largest number of slots a {@link DecodingTask} for this request has open at any time. */
  public int maxSlots() {
    return IntStream.range(0, options.temperatures().size()).map(this::slots).max().orElse(1);
  }
}
