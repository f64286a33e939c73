package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.worker.WorkerModel;
import dev.amanuensis.worker.config.Setting;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How a worker works. */
final class WorkerOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      description = "Arithmetic of the model: reference (fp32) or fast.")
  private String profile;

  @Option(names = "--model-dir", paramLabel = "DIR", description = ModelAccess.DIRECTORY)
  private Path modelDirectory;

  @Option(
      names = "--allow-root",
      paramLabel = "DIR",
      description = "Jobs may name files below this directory (may be repeated). Default: none.")
  private List<Path> allowedRoots = new ArrayList<>();

  @Option(
      names = "--admin-port",
      paramLabel = "PORT",
      description = {
        "Port of health, metrics and the ops page: 0 takes a free one, off serves none.",
        "Default: 9050, or a free one where that is taken."
      })
  private String adminPort;

  @Option(
      names = "--print-config",
      description = "Print every setting as it would be used, secrets masked, and end.")
  private boolean printConfig;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Any other setting of the worker (may be repeated).")
  private Map<String, String> more = new LinkedHashMap<>();

  /** Settings as the user gave them. */
  Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(more);
    if (profile != null) {
      settings.put(Setting.PROFILE.key(), profile);
    }
    if (adminPort != null) {
      settings.put(Setting.ADMIN_PORT.key(), adminPort);
    }
    if (modelDirectory != null) {
      settings.put(Setting.MODEL_DIR.key(), modelDirectory.toString());
    }
    if (!allowedRoots.isEmpty()) {
      settings.put(Setting.ALLOWED_ROOTS.key(), joined(allowedRoots));
    }
    return settings;
  }

  /** A directory may come later, but mostly its name is wrong, and all files in it forbidden. */
  void warnOfMissingRoots(Terminal terminal) {
    for (Path root : allowedRoots) {
      if (!Files.isDirectory(root)) {
        terminal
            .err()
            .println(
                "warning: --allow-root " + root.toAbsolutePath() + ": no such directory (yet)");
      }
    }
  }

  /** Whether that was all the user wanted: prints the settings then. */
  boolean printed(Map<String, String> settings, Terminal terminal) throws CliException {
    if (printConfig) {
      Workers.config(settings)
          .shown()
          .forEach((key, value) -> terminal.out().println(key + "=" + value));
      terminal.out().flush();
    }
    return printConfig;
  }

  /** Paths as one setting. */
  static String joined(List<Path> paths) {
    return paths.stream()
        .map(path -> path.toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** Fetches the model into its default place unless it is there, or not needed. */
  void fetchModel(Terminal terminal, StatusLine status) throws CliException {
    if (WorkerModel.needsFiles(Workers.config(settings()))) {
      ModelAccess.ensure(modelDirectory, terminal, status);
    }
  }

  /** Servers tell what they do; commands that print results don't. */
  void useServerLogging() {
    AmanuensisCommand root = (AmanuensisCommand) command.root().userObject();
    LogSetup.use(root.verbose ? LogSetup.Detail.VERBOSE : LogSetup.Detail.SERVER);
  }
}
