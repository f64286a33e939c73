package dev.amanuensis.cli.format;

import dev.amanuensis.cli.format.TranscriptDocument.Segment;
import dev.amanuensis.cli.format.TranscriptDocument.Word;
import java.io.IOException;
import java.util.List;

/** Documents with the corners that the formats differ in. */
final class Documents {
  private Documents() {}

  static final TranscriptDocument PLAIN =
      document(
          segment(0, 0.0, 7.6, " And so my fellow Americans --> ask,", null),
          segment(1, 7.6005, 59.9995, "\u00a0a\ttab and 你好 ", null),
          segment(2, 3599.9995, 3661.0625, " past one hour", null));

  static final TranscriptDocument WORDS =
      document(
          segment(
              0,
              0.0,
              9.0,
              " Well --> done.",
              List.of(new Word(" Well", 0.12, 0.5, 0.75), new Word(" --> done.", 0.5, 1.234, 1))),
          segment(1, 9.0, 9.5, "", List.of()),
          segment(2, 9.5, 12.0, " Again", List.of(new Word(" Again", 9.7, 11.9, 0.5))));

  static TranscriptDocument document(Segment... segments) {
    return new TranscriptDocument("a \"b\".wav", " The text", "en", 11.0, List.of(segments));
  }

  static Segment segment(int id, double start, double end, String text, List<Word> words) {
    return new Segment(id, 0, start, end, text, List.of(50364, 400), 0.0, -0.25, 1.5, 0.125, words);
  }

  static String write(TranscriptFormat format, TranscriptDocument document) throws IOException {
    StringBuilder out = new StringBuilder();
    format.write(document, out);
    return out.toString();
  }
}
