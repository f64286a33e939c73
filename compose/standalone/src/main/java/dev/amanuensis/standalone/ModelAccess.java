package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.model.FetchProgress;
import dev.amanuensis.model.ModelException;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** The model store with its failures in the words of the command line. */
final class ModelAccess {
  static final String DIRECTORY =
      "Directory of the model (or set AMANUENSIS_MODEL_DIR). Default: in the user's cache.";

  private ModelAccess() {}

  /**
   * @param directory or null for the default
   */
  static ModelStore store(Path directory) {
    return directory == null ? ModelStore.defaultStore() : ModelStore.at(directory);
  }

  /**
   * Makes sure that there is a model to load: fetches it into the default place; a directory that
   * the user named is taken as it is.
   */
  static void ensure(Path directory, Terminal terminal, StatusLine status) throws CliException {
    ModelStore store = store(directory);
    boolean there = Files.isRegularFile(store.directory().resolve(ModelStore.WEIGHTS));
    if (!there && directory == null) {
      status.above(() -> terminal.err().println("model: none in " + store.directory() + " yet"));
      fetch(store, terminal, status);
    } else if (!there) {
      throw new CliException(
          ExitCodes.MODEL,
          "model: no model in "
              + store.directory()
              + "; 'amanuensis model fetch --model-dir "
              + store.directory()
              + "' gets it");
    }
  }

  /** Fetches the model unless it is there, with a progress bar on a terminal, else with lines. */
  static ModelFiles fetch(ModelStore store, Terminal terminal, StatusLine status)
      throws CliException {
    FetchProgress progress =
        terminal.errIsTerminal()
            ? new FetchBar(terminal, status)
            : FetchProgress.lines(terminal.err());
    try {
      return store.fetch(progress);
    } catch (ModelException e) {
      throw explain(e);
    } finally {
      status.hide();
    }
  }

  static CliException explain(ModelException e) {
    int code =
        e.code() == ModelException.Code.INTERRUPTED ? ExitCodes.INTERRUPTED : ExitCodes.MODEL;
    return new CliException(code, "model: " + e.getMessage(), e);
  }

  /** Draws what a fetch reports. */
  private record FetchBar(Terminal terminal, StatusLine status) implements FetchProgress {
    private static final long MIB = 1 << 20;

    @Override
    public void source(String description) {
      note("trying " + description);
    }

    @Override
    public void bytes(String file, long done, long total) {
      String text =
          total > 0
              ? StatusLine.bar(done, total) + "  " + done / MIB + "/" + total / MIB + " MiB"
              : done / MIB + " MiB";
      status.change("model " + file + " " + text);
    }

    @Override
    public void note(String message) {
      status.above(() -> terminal.err().println("model: " + message));
    }
  }
}
