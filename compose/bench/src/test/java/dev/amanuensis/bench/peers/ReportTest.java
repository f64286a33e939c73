package dev.amanuensis.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.amanuensis.bench.Machine;
import dev.amanuensis.bench.Median;
import dev.amanuensis.bench.SpeechSet;
import dev.amanuensis.cli.CliException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class ReportTest {
  private static final Settings SETTINGS =
      new Settings(2, "en", List.of(0f), Isa.AVX2, Path.of("w"), Path.of("t"), "0".repeat(64), 3);
  private static final SpeechSet SPEECH =
      new SpeechSet(List.of("a.flac"), List.of(Path.of("0.wav")), 10);
  private static final Machine MACHINE =
      new Machine("A <fast> CPU", "family 1", 2, "avx2", 1L << 34);

  private static Race.Entry entry(String title, boolean ours, Double... speeds) {
    Contender contender = new Contender(title, title, ours, List::of);
    return new Race.Entry(
        contender, "v1", "avx2", Median.of(List.of(speeds)), Median.of(List.of(4.5)), null);
  }

  @Test
  void tableNamesMachineMediansSpreadAndTheRatioToTheBestPeer() {
    List<Race.Entry> entries =
        List.of(
            entry("ours", true, 30.0, 20.0, 25.0),
            entry("slow", false, 2.0),
            entry("best", false, 10.0));
    String text =
        new Report(MACHINE, SETTINGS, SPEECH, "WER", entries, List.of(0.0123, 0.5, 0.1)).markdown();
    assertThat(text)
        .contains("A <fast> CPU (family 1), 2 cores", "2 threads", "instruction set: avx2")
        .contains("| ours | **25.0** (20.0–30.0) | 4.50 | 1.23 % | v1; avx2 |")
        .contains("ours: 2.50 × best.");
  }

  @Test
  void chartIsWellFormedWhateverTheNames() throws Exception {
    String svg =
        BarChart.svg("on <CPU> & co", "s", List.of(new BarChart.Bar("a<b", 3, "1 %", true)));
    var document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(svg)));
    assertThat(document.getElementsByTagName("rect").getLength()).isEqualTo(2);
    assertThat(document.getDocumentElement().getTextContent()).contains("a<b", "on <CPU> & co");
  }

  @Test
  void errorsAreThoseOfTheWholeCorpusNotAMeanOverFiles() {
    Accuracy accuracy =
        new Accuracy(
            List.of("one two three four five six seven eight nine", "ten"), List.of("fr", "fr"));
    assertThat(accuracy.rate(List.of("one two three four five six seven eight nine", "dix")))
        .isCloseTo(0.1, within(1e-9));
  }

  @Test
  void referencesFollowTheOrderOfTheFilesAndAMissingOneIsNamed(@TempDir Path directory)
      throws Exception {
    Path tsv = directory.resolve("texts.tsv");
    Files.writeString(tsv, "b.wav\tsecond\na.wav\tfirst\n");
    SpeechSet speech = new SpeechSet(List.of("a.wav", "b.wav"), List.of(), 1);
    assertThat(speech.references(tsv, 2)).containsExactly("first first", "second second");
    assertThatThrownBy(() -> new SpeechSet(List.of("c.wav"), List.of(), 1).references(tsv, 1))
        .isInstanceOf(CliException.class)
        .hasMessageContaining("c.wav");
  }
}
