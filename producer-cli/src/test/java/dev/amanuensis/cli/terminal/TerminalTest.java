package dev.amanuensis.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TerminalTest {
  @Test
  void namesFromElsewhereControlNoTerminal() {
    assertThat(Terminal.plain("talk\u001b[2J\u009b31m\r\n01a2 COMPLETED\u0007.wav"))
        .isEqualTo("talk?[2J?31m??01a2 COMPLETED?.wav");
    assertThat(Terminal.plain("Übung ☃ 音.wav")).isEqualTo("Übung ☃ 音.wav");
    assertThat(Terminal.plain(null)).isEqualTo("null");
  }
}
