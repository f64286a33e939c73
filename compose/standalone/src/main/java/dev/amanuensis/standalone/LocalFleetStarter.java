package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.command.LocalFleet;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.worker.WorkerModel;
import dev.amanuensis.worker.config.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Starts the fleet that one {@code transcribe} uses. */
final class LocalFleetStarter implements LocalFleet.Starter {
  private final Terminal terminal;
  private final boolean endsWithProcess;
  private volatile TemporaryFleet temporary;

  /**
   * @param endsWithProcess a temporary fleet is closed by leaving it to the end of the process
   */
  LocalFleetStarter(Terminal terminal, boolean endsWithProcess) {
    this.terminal = terminal;
    this.endsWithProcess = endsWithProcess;
  }

  /** Whether a fleet without its data still runs, for the process to end at once. */
  boolean left() {
    return temporary != null && temporary.left();
  }

  @Override
  public LocalFleet start(LocalFleet.Request request, StatusLine status)
      throws CliException, InterruptedException {
    Map<String, String> settings = new HashMap<>();
    if (request.profile() != null) {
      settings.put(Setting.PROFILE.key(), request.profile());
    }
    if (request.modelDirectory() != null) {
      settings.put(Setting.MODEL_DIR.key(), request.modelDirectory().toString());
    }
    settings.put(Setting.ADMIN_PORT.key(), "off"); // gone before anybody could look
    settings.put(Setting.ALLOWED_ROOTS.key(), WorkerOptions.joined(request.allowedRoots()));
    // A wrong setting shows before anything starts.
    if (WorkerModel.needsFiles(Workers.config(settings))) {
      ModelAccess.ensure(request.modelDirectory(), terminal, status);
    }
    status.show("starting Kafka and loading the model");
    if (request.dataDirectory() != null) {
      return Fleet.start(new Fleet.Plan(request.dataDirectory(), 0, 0, settings));
    }
    return startTemporary(settings);
  }

  /** With data that is deleted at the end, however the process ends (but for SIGKILL). */
  private LocalFleet startTemporary(Map<String, String> settings)
      throws CliException, InterruptedException {
    Path data;
    try {
      data = Files.createTempDirectory("amanuensis-");
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.INTERNAL,
          "can't make a temporary directory in " + System.getProperty("java.io.tmpdir") + ": " + e,
          e);
    }
    temporary = TemporaryFleet.start(data, settings, endsWithProcess);
    return temporary;
  }
}
