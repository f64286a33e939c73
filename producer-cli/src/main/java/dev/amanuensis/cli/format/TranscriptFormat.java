package dev.amanuensis.cli.format;

import java.io.IOException;
import java.util.Locale;

/** The output formats, each byte for byte what openai/whisper writes by default (json aside). */
public enum TranscriptFormat {
  /** The text, one segment per line. */
  TXT(new TxtWriter()),
  /** One document per line with openai/whisper's field names, plus file and duration. */
  JSON(new JsonWriter()),
  /** SubRip subtitles. */
  SRT(new SubtitleWriter(SubtitleWriter.Style.SRT)),
  /** WebVTT subtitles. */
  VTT(new SubtitleWriter(SubtitleWriter.Style.VTT)),
  /** Start and end in milliseconds, and the text, separated by tabs. */
  TSV(new TsvWriter());

  private final TranscriptWriter writer;

  TranscriptFormat(TranscriptWriter writer) {
    this.writer = writer;
  }

  public void write(TranscriptDocument document, Appendable out) throws IOException {
    writer.write(document, out);
  }

  /** Name on the command line, and the extension of files written. */
  public String extension() {
    return name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return extension();
  }
}
