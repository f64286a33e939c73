package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.format.TranscriptDocument;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.Word;
import java.util.ArrayList;
import java.util.List;

/** Reads transcript records into what commands print. */
public final class Outcomes {
  private Outcomes() {}

  public static Outcome of(Transcript transcript) {
    String file = transcript.getMetadata().getOrDefault(JobRecords.FILE, transcript.getJobId());
    return new Outcome(
        transcript.getJobId(),
        transcript.getStatus().name(),
        file,
        document(file, transcript),
        transcript.getErrorCode(),
        transcript.getErrorMessage());
  }

  private static TranscriptDocument document(String file, Transcript transcript) {
    // The record does not say whether words were asked for; where there is one, they were.
    boolean words = transcript.getSegments().stream().anyMatch(s -> !s.getWords().isEmpty());
    List<TranscriptDocument.Segment> segments = new ArrayList<>();
    for (Segment segment : transcript.getSegments()) {
      segments.add(segment(segment, words));
    }
    return new TranscriptDocument(
        file, transcript.getText(), transcript.getLanguage(), transcript.getDuration(), segments);
  }

  static TranscriptDocument.Segment segment(Segment segment, boolean words) {
    return new TranscriptDocument.Segment(
        segment.getId(),
        segment.getSeek(),
        segment.getStart(),
        segment.getEnd(),
        segment.getText(),
        segment.getTokens(),
        segment.getTemperature(),
        segment.getAvgLogprob(),
        segment.getCompressionRatio(),
        segment.getNoSpeechProb(),
        words ? segment.getWords().stream().map(Outcomes::word).toList() : null);
  }

  private static TranscriptDocument.Word word(Word word) {
    return new TranscriptDocument.Word(
        word.getWord(), word.getStart(), word.getEnd(), word.getProbability());
  }
}
