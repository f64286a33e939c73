package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.model.ModelException;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Everything about the model's files. */
@Command(
    name = "model",
    description = "Fetch, verify or locate the model's files.",
    footer = {
      "",
      "Examples:",
      "  amanuensis model fetch",
      "  amanuensis model verify --model-dir /srv/whisper-base",
      "  ls -l \"$(amanuensis model path)\""
    })
final class ModelCommand implements Runnable {
  private final Terminal terminal;

  @Spec private CommandSpec spec;

  ModelCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which: fetch, verify or path");
  }

  @Command(
      name = "fetch",
      description = "Download the model unless it is there, verify it, and print its directory.",
      footer = {"", "Example:", "  amanuensis model fetch --model-dir /srv/whisper-base"})
  int fetch(
      @Option(names = "--model-dir", paramLabel = "DIR", description = ModelAccess.DIRECTORY)
          Path directory)
      throws CliException {
    ModelStore store = ModelAccess.store(directory);
    try (StatusLine status = new StatusLine(terminal)) {
      ModelAccess.fetch(store, terminal, status);
    }
    terminal.out().println(store.directory());
    return ExitCodes.OK;
  }

  @Command(
      name = "verify",
      description = "Compare the model's files with their hashes; exit code 3 if they differ.",
      footer = {"", "Example:", "  amanuensis model verify && echo intact"})
  int verify(
      @Option(names = "--model-dir", paramLabel = "DIR", description = ModelAccess.DIRECTORY)
          Path directory)
      throws CliException {
    ModelStore store = ModelAccess.store(directory);
    try {
      ModelFiles files = store.verify();
      terminal.out().println(files.name() + " in " + store.directory() + " is intact");
      terminal.out().println("sha256 of the weights: " + files.sha256());
      return ExitCodes.OK;
    } catch (ModelException e) {
      throw ModelAccess.explain(e);
    }
  }

  @Command(
      name = "path",
      description = "Print the model's directory, whether or not a model is there.",
      footer = {"", "Example:", "  ls -l \"$(amanuensis model path)\""})
  int path(
      @Option(names = "--model-dir", paramLabel = "DIR", description = ModelAccess.DIRECTORY)
          Path directory) {
    terminal.out().println(ModelAccess.store(directory).directory());
    return ExitCodes.OK;
  }
}
