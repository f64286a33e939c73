package dev.amanuensis.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StatusLineTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private Terminal terminal(boolean errIsTerminal) {
    return new Terminal(new ByteArrayOutputStream(), err, false, errIsTerminal, true);
  }

  @Test
  void writesNothingWhereStderrIsNoTerminal() throws Exception {
    try (StatusLine line = new StatusLine(terminal(false))) {
      line.show("working");
      Thread.sleep(300);
    }
    assertThat(err.size()).isZero();
  }

  @Test
  void isGoneBeforeAResultIsWritten() throws Exception {
    Terminal terminal = terminal(true);
    try (StatusLine line = new StatusLine(terminal)) {
      line.show("working");
      Thread.sleep(300);
      line.above(() -> terminal.err().print("RESULT"));
    }
    String written = err.toString(StandardCharsets.UTF_8);
    assertThat(written).contains("working  0 s").contains("\r\u001b[KRESULT");
  }

  @Test
  void barIsFullAtTheEndOnly() {
    assertThat(StatusLine.bar(0, 10)).isEqualTo("[>                       ]   0%");
    assertThat(StatusLine.bar(5, 10)).isEqualTo("[============>           ]  50%");
    assertThat(StatusLine.bar(10, 10)).isEqualTo("[========================] 100%");
    assertThat(StatusLine.bar(99, 10)).isEqualTo("[========================] 100%");
    assertThat(StatusLine.bar(0, 0)).isEqualTo("[========================] 100%");
  }
}
