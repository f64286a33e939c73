package dev.amanuensis.cli.format;

import java.io.IOException;

/** Writes a document in one format. Lines end with a line feed on every system. */
public interface TranscriptWriter {
  void write(TranscriptDocument document, Appendable out) throws IOException;
}
