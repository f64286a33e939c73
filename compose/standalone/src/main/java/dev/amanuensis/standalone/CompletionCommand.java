package dev.amanuensis.standalone;

import dev.amanuensis.cli.terminal.Terminal;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the completion script of the whole command line. */
@Command(
    name = "completion",
    description = "Print a completion script for bash and zsh.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(amanuensis completion)",
      "  amanuensis completion >/etc/bash_completion.d/amanuensis"
    })
final class CompletionCommand implements Runnable {
  private final Terminal terminal;

  @Spec private CommandSpec spec;

  CompletionCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void run() {
    terminal.out().print(AutoComplete.bash("amanuensis", spec.root().commandLine()));
    terminal.out().flush();
  }
}
