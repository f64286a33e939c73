package dev.amanuensis.cli.format;

import java.io.IOException;

/** The text of each segment on a line of its own. */
final class TxtWriter implements TranscriptWriter {
  @Override
  public void write(TranscriptDocument document, Appendable out) throws IOException {
    for (TranscriptDocument.Segment segment : document.segments()) {
      out.append(Texts.strip(segment.text())).append('\n');
    }
  }
}
