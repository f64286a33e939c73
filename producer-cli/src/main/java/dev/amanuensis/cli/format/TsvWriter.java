package dev.amanuensis.cli.format;

import java.io.IOException;

/** A header, then start and end in integer milliseconds and the text, separated by tabs. */
final class TsvWriter implements TranscriptWriter {
  @Override
  public void write(TranscriptDocument document, Appendable out) throws IOException {
    out.append("start\tend\ttext\n");
    for (TranscriptDocument.Segment segment : document.segments()) {
      out.append(Long.toString(Timestamps.milliseconds(segment.start())))
          .append('\t')
          .append(Long.toString(Timestamps.milliseconds(segment.end())))
          .append('\t')
          .append(Texts.strip(segment.text()).replace('\t', ' '))
          .append('\n');
    }
  }
}
