package dev.amanuensis.worker.job;

import java.util.List;

/**
 * How far a transcription is: enough to go on elsewhere with the same result as without the
 * interruption.
 *
 * @param segments that are final, from the first on
 * @param language code, given or detected
 * @param languageProbability of the detection; 1.0 where it was given
 * @param seek frame (10 ms) from which the file is still to be done
 * @param contentFrames frames of the file
 * @param clip index of the clip that is worked on
 * @param lastSpeech seconds; end of the last word so far
 * @param resetSince tokens of the history that are no prompt for the next window
 * @param audioSha256 of the audio bytes as received
 */
public record Progress(
    List<Segment> segments,
    String language,
    double languageProbability,
    long seek,
    long contentFrames,
    int clip,
    double lastSpeech,
    int resetSince,
    String audioSha256) {
  public Progress {
    segments = List.copyOf(segments);
  }
}
