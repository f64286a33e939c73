package dev.amanuensis.cli.format;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Subtitles with openai/whisper's default options (whisper/utils.py, SubtitlesWriter): a cue per
 * segment. With word timestamps a cue lasts from its first word to the end of its last.
 */
final class SubtitleWriter implements TranscriptWriter {
  /** What differs between the two kinds of file. */
  enum Style {
    SRT,
    VTT
  }

  /** The width at which openai/whisper breaks a line when none is asked for. */
  private static final int MAX_LINE_WIDTH = 1000;

  private record Cue(double start, double end, String text) {}

  private final Style style;

  SubtitleWriter(Style style) {
    this.style = style;
  }

  @Override
  public void write(TranscriptDocument document, Appendable out) throws IOException {
    if (style == Style.VTT) {
      out.append("WEBVTT\n\n");
    }
    int number = 1;
    for (Cue cue : document.hasWords() ? wordCues(document) : segmentCues(document)) {
      if (style == Style.SRT) {
        out.append(Integer.toString(number++)).append('\n');
      }
      out.append(time(cue.start())).append(" --> ").append(time(cue.end())).append('\n');
      out.append(cue.text()).append("\n\n");
    }
  }

  private String time(double seconds) {
    return style == Style.SRT
        ? Timestamps.format(seconds, true, ',')
        : Timestamps.format(seconds, false, '.');
  }

  private static List<Cue> segmentCues(TranscriptDocument document) {
    List<Cue> cues = new ArrayList<>();
    for (TranscriptDocument.Segment segment : document.segments()) {
      // An arrow inside the text would end the cue's header for a parser.
      String text = Texts.strip(segment.text()).replace("-->", "->");
      cues.add(new Cue(segment.start(), segment.end(), text));
    }
    return cues;
  }

  private static List<Cue> wordCues(TranscriptDocument document) {
    List<Cue> cues = new ArrayList<>();
    for (TranscriptDocument.Segment segment : document.segments()) {
      List<TranscriptDocument.Word> words = segment.words();
      if (words != null && !words.isEmpty()) {
        double end = words.get(words.size() - 1).end();
        cues.add(new Cue(words.get(0).start(), end, joined(words)));
      }
    }
    return cues;
  }

  private static String joined(List<TranscriptDocument.Word> words) {
    StringBuilder text = new StringBuilder();
    int width = 0;
    for (TranscriptDocument.Word timed : words) {
      String word = timed.word();
      int length = Texts.length(word);
      if (width > 0 && width + length <= MAX_LINE_WIDTH) {
        text.append(word);
        width += length;
        continue;
      }
      String stripped = Texts.strip(word);
      text.append(width > 0 ? "\n" : "").append(stripped);
      width = Texts.length(stripped);
    }
    return text.toString();
  }
}
