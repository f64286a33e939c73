package dev.amanuensis.cli.format;

import static dev.amanuensis.cli.format.Documents.PLAIN;
import static dev.amanuensis.cli.format.Documents.WORDS;
import static dev.amanuensis.cli.format.Documents.document;
import static dev.amanuensis.cli.format.Documents.segment;
import static dev.amanuensis.cli.format.Documents.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.format.TranscriptDocument.Segment;
import dev.amanuensis.cli.format.TranscriptDocument.Word;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The expected strings of txt, srt, vtt and tsv are what the writers of openai/whisper 20250625
 * (whisper/utils.py) made of the same segments.
 */
class TranscriptFormatTest {
  @Test
  void txtIsOneSegmentPerLine() throws Exception {
    assertThat(write(TranscriptFormat.TXT, PLAIN))
        .isEqualTo("And so my fellow Americans --> ask,\na\ttab and 你好\npast one hour\n");
    assertThat(write(TranscriptFormat.TXT, WORDS)).isEqualTo("Well --> done.\n\nAgain\n");
  }

  @Test
  void srtNumbersCuesAndAlwaysWritesHours() throws Exception {
    assertThat(write(TranscriptFormat.SRT, PLAIN))
        .isEqualTo(
            """
            1
            00:00:00,000 --> 00:00:07,600
            And so my fellow Americans -> ask,

            2
            00:00:07,600 --> 00:01:00,000
            a\ttab and 你好

            3
            01:00:00,000 --> 01:01:01,062
            past one hour

            """);
  }

  @Test
  void srtCuesFollowTheWordsWhereThereAreWords() throws Exception {
    assertThat(write(TranscriptFormat.SRT, WORDS))
        .isEqualTo(
            """
            1
            00:00:00,120 --> 00:00:01,234
            Well --> done.

            2
            00:00:09,700 --> 00:00:11,900
            Again

            """);
  }

  @Test
  void vttWritesHoursOnlyWhereNeeded() throws Exception {
    assertThat(write(TranscriptFormat.VTT, PLAIN))
        .isEqualTo(
            """
            WEBVTT

            00:00.000 --> 00:07.600
            And so my fellow Americans -> ask,

            00:07.600 --> 01:00.000
            a\ttab and 你好

            01:00:00.000 --> 01:01:01.062
            past one hour

            """);
    assertThat(write(TranscriptFormat.VTT, WORDS))
        .isEqualTo(
            """
            WEBVTT

            00:00.120 --> 00:01.234
            Well --> done.

            00:09.700 --> 00:11.900
            Again

            """);
  }

  @Test
  void tsvKeepsTabsOutOfTheText() throws Exception {
    assertThat(write(TranscriptFormat.TSV, PLAIN))
        .isEqualTo(
            "start\tend\ttext\n"
                + "0\t7600\tAnd so my fellow Americans --> ask,\n"
                + "7600\t60000\ta tab and 你好\n"
                + "3600000\t3661062\tpast one hour\n");
  }

  @Test
  void veryLongCueIsBrokenAtAThousandCharacters() throws Exception {
    List<Word> words =
        IntStream.range(0, 5)
            .mapToObj(i -> new Word(" " + "a".repeat(300), i, i + 1, 1.0))
            .toList();
    String srt = write(TranscriptFormat.SRT, document(segment(0, 0, 30, "", words)));
    assertThat(srt.lines().map(String::length)).containsExactly(1, 29, 902, 601, 0);
  }

  @Test
  void jsonHasTheFieldNamesOfWhisperOnOneLine() throws Exception {
    Segment segment = segment(0, 0.0, 7.6, " Hi 你", List.of(new Word(" Hi", 0.5, 1.5, 0.75)));
    assertThat(write(TranscriptFormat.JSON, document(segment)))
        .isEqualTo(
            "{\"file\":\"a \\\"b\\\".wav\",\"text\":\" The text\",\"language\":\"en\","
                + "\"duration\":11.0,\"segments\":[{\"id\":0,\"seek\":0,\"start\":0.0,\"end\":7.6,"
                + "\"text\":\" Hi 你\",\"tokens\":[50364,400],\"temperature\":0.0,"
                + "\"avg_logprob\":-0.25,\"compression_ratio\":1.5,\"no_speech_prob\":0.125,"
                + "\"words\":[{\"word\":\" Hi\",\"start\":0.5,\"end\":1.5,"
                + "\"probability\":0.75}]}]}\n");
  }

  @Test
  void jsonLeavesWordsOutWhereNoneWereAskedFor() throws Exception {
    assertThat(write(TranscriptFormat.JSON, PLAIN)).doesNotContain("words");
  }

  @Test
  void jsonWritesNumbersThatJsonDoesNotKnowAsNull() throws Exception {
    Segment segment =
        new Segment(0, 0, 0, 1, "", List.of(), 0, Double.NEGATIVE_INFINITY, 1, Double.NaN, null);
    assertThat(write(TranscriptFormat.JSON, document(segment)))
        .contains("\"avg_logprob\":null", "\"no_speech_prob\":null");
  }

  @Test
  void emptyTranscriptIsStillAValidFile() throws Exception {
    assertThat(write(TranscriptFormat.TXT, document())).isEmpty();
    assertThat(write(TranscriptFormat.SRT, document())).isEmpty();
    assertThat(write(TranscriptFormat.VTT, document())).isEqualTo("WEBVTT\n\n");
    assertThat(write(TranscriptFormat.TSV, document())).isEqualTo("start\tend\ttext\n");
  }
}
