package dev.amanuensis.standalone;

import dev.amanuensis.bench.BenchCommand;
import dev.amanuensis.chaos.ChaosCommand;
import dev.amanuensis.cli.CommandRunner;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.command.CancelCommand;
import dev.amanuensis.cli.command.DlqCommand;
import dev.amanuensis.cli.command.JobsCommand;
import dev.amanuensis.cli.command.SubmitCommand;
import dev.amanuensis.cli.command.TopicsCommand;
import dev.amanuensis.cli.command.TranscribeCommand;
import dev.amanuensis.cli.command.WatchCommand;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.gateway.GatewayCommand;
import dev.amanuensis.worker.admin.HostGuard;
import dev.amanuensis.worker.transcription.Languages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.RunLast;

/** Mounts every command and runs the one that is asked for. */
public final class Main {
  /** Names a file to create once a transcription succeeded; the launcher's concern. */
  static final String MARKER_PROPERTY = "amanuensis.archive.marker";

  private Main() {}

  /** Runs a command and ends the process with one of {@link ExitCodes}. */
  public static void main(String[] arguments) {
    // The JVM writes its archive of classes only when it ends in order.
    boolean quickly = System.getProperty(MARKER_PROPERTY) == null;
    Terminal terminal = Terminal.ofProcess(System.getenv());
    LocalFleetStarter starter = new LocalFleetStarter(terminal, quickly);
    int code = run(terminal, commandLine(terminal, starter), arguments);
    if (code == ExitCodes.OK) {
      leaveMarker();
    }
    if (starter.left()) {
      terminal.out().flush();
      terminal.err().flush();
      Runtime.getRuntime().halt(code);
    }
    System.exit(code);
  }

  /** Runs a command and returns its exit code. */
  static int run(Terminal terminal, String... arguments) {
    return run(terminal, commandLine(terminal), arguments);
  }

  private static int run(Terminal terminal, CommandLine commandLine, String... arguments) {
    AmanuensisCommand root = commandLine.getCommand();
    commandLine.setExecutionStrategy(
        parsed -> {
          LogSetup.use(root.logFormat);
          LogSetup.use(root.verbose ? LogSetup.Detail.VERBOSE : LogSetup.Detail.QUIET);
          return new RunLast().execute(parsed);
        });
    return new CommandRunner(commandLine, terminal, () -> root.verbose).run(arguments);
  }

  /** The root command with every other below it. */
  public static CommandLine commandLine(Terminal terminal) {
    return commandLine(terminal, new LocalFleetStarter(terminal, false));
  }

  private static CommandLine commandLine(Terminal terminal, LocalFleetStarter starter) {
    return new CommandLine(new AmanuensisCommand())
        .addSubcommand(new TranscribeCommand(terminal, starter, Languages::code))
        .addSubcommand(new SubmitCommand(terminal, Languages::code))
        .addSubcommand(new WatchCommand(terminal))
        .addSubcommand(new JobsCommand(terminal))
        .addSubcommand(new CancelCommand(terminal))
        .addSubcommand(new DlqCommand(terminal))
        .addSubcommand(new TopicsCommand(terminal))
        .addSubcommand(new StandaloneCommand(terminal))
        .addSubcommand(new WorkerCommand(terminal))
        .addSubcommand(new TopCommand(terminal))
        .addSubcommand(
            new GatewayCommand(
                terminal, Languages::name, (host, names) -> new HostGuard(host, names)::accepts))
        .addSubcommand(new ModelCommand(terminal))
        .addSubcommand(new NpuCommand(terminal))
        .addSubcommand(BenchCommand.commandLine(terminal))
        .addSubcommand(new ChaosCommand(terminal))
        .addSubcommand(new CompletionCommand(terminal));
  }

  private static void leaveMarker() {
    String marker = System.getProperty(MARKER_PROPERTY);
    if (marker != null) {
      try {
        Files.createFile(Path.of(marker));
      } catch (IOException e) {
        // The next start is not faster, and that is all.
      }
    }
  }
}
