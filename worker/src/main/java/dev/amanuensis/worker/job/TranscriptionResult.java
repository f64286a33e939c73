package dev.amanuensis.worker.job;

import java.util.List;

/**
 * The transcription of one file.
 *
 * @param language code, for example "en"
 * @param languageProbability of the detection; 1.0 where the language was given
 * @param durationSeconds of the audio
 */
public record TranscriptionResult(
    String text,
    String language,
    double languageProbability,
    double durationSeconds,
    List<Segment> segments) {
  public TranscriptionResult {
    segments = List.copyOf(segments);
  }
}
