package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.cli.format.TranscriptDocument;
import dev.amanuensis.cli.format.TranscriptFormat;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputSinkTest {
  private static final List<Path> INPUTS = List.of(Path.of("dir/a.b.wav"), Path.of(".hidden"));

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private void write(TranscriptFormat format, Path directory, boolean outIsTerminal)
      throws Exception {
    Terminal terminal = new Terminal(out, err, outIsTerminal, false, false);
    try (StatusLine status = new StatusLine(terminal)) {
      OutputSink sink = new OutputSink(format, directory, INPUTS, terminal, status);
      for (Path input : INPUTS) {
        TranscriptDocument.Segment segment =
            new TranscriptDocument.Segment(0, 0, 0, 1, " Grüße 你好", List.of(), 0, 0, 1, 0, null);
        sink.accept(input, new TranscriptDocument(input.toString(), "", "de", 1, List.of(segment)));
      }
    }
  }

  @Test
  void pipeGetsTheTextAloneInUtf8() throws Exception {
    write(TranscriptFormat.TXT, null, false);
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("Grüße 你好\nGrüße 你好\n");
  }

  @Test
  void terminalGetsAHeaderForEachOfSeveralFiles() throws Exception {
    write(TranscriptFormat.TXT, null, true);
    assertThat(out.toString(StandardCharsets.UTF_8))
        .isEqualTo("== dir/a.b.wav ==\nGrüße 你好\n== .hidden ==\nGrüße 你好\n");
  }

  @Test
  void severalJsonDocumentsAreJsonLines() throws Exception {
    write(TranscriptFormat.JSON, null, true);
    assertThat(out.toString(StandardCharsets.UTF_8).lines())
        .hasSize(2)
        .allMatch(line -> line.startsWith("{\"file\":") && line.endsWith("]}"));
  }

  @Test
  void fileThatCantBeWrittenIsThatFilesFailure(@TempDir Path directory) throws Exception {
    Files.createDirectories(directory.resolve("a.b.txt/in the way"));
    Terminal terminal = new Terminal(out, err, false, false, false);
    try (StatusLine status = new StatusLine(terminal)) {
      OutputSink sink = new OutputSink(TranscriptFormat.TXT, directory, INPUTS, terminal, status);
      TranscriptDocument document = new TranscriptDocument("", "", "de", 1, List.of());
      assertThatThrownBy(() -> sink.accept(INPUTS.get(0), document))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("can't write " + directory.resolve("a.b.txt"));
      sink.accept(INPUTS.get(1), document);
    }
    assertThat(directory.resolve(".hidden.txt")).exists();
    assertThat(directory).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void directoryGetsAFileForEachAndStdoutNothing(@TempDir Path temporary) throws Exception {
    Path directory = temporary.resolve("new/with space");
    write(TranscriptFormat.SRT, directory, true);
    try (var files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("a.b.srt", ".hidden.srt");
    }
    assertThat(directory.resolve("a.b.srt"))
        .hasContent("1\n00:00:00,000 --> 00:00:01,000\nGrüße 你好\n\n");
    assertThat(out.size()).isZero();
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("wrote ").contains("a.b.srt");
  }
}
