package dev.amanuensis.cli;

import dev.amanuensis.cli.terminal.Terminal;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Runs a picocli command by the rules that all commands share: streams, errors, exit codes. */
public final class CommandRunner {
  private static final int HELP_WIDTH = 100;

  private final CommandLine commandLine;
  private final Terminal terminal;
  private final BooleanFlag verbose;

  /** Read when a command fails: whether to show the stack trace. */
  @FunctionalInterface
  public interface BooleanFlag {
    boolean isSet();
  }

  /**
   * @param commandLine a root command with all its subcommands mounted
   */
  public CommandRunner(CommandLine commandLine, Terminal terminal, BooleanFlag verbose) {
    this.commandLine = commandLine;
    this.terminal = terminal;
    this.verbose = verbose;
    commandLine
        .setOut(writer(terminal.out()))
        .setErr(writer(terminal.err()))
        .setColorScheme(
            CommandLine.Help.defaultColorScheme(terminal.coloursOut() ? Ansi.ON : Ansi.OFF))
        .setUsageHelpWidth(HELP_WIDTH)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, arguments) -> badUsage(e))
        .setExecutionExceptionHandler((e, command, result) -> failed(e));
  }

  /** Runs and returns the exit code; one of {@link ExitCodes}. */
  public int run(String... arguments) {
    int code;
    try {
      code = commandLine.execute(arguments);
    } catch (Error e) { // else the process would live on with the threads that it has
      code = failed(e);
    }
    terminal.out().flush();
    return code;
  }

  private int badUsage(ParameterException e) {
    CommandLine command = e.getCommandLine();
    error(e.getMessage());
    UnmatchedArgumentException.printSuggestions(e, command.getErr());
    terminal.err().println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
    return ExitCodes.USAGE;
  }

  private int failed(Throwable e) {
    int code;
    if (e instanceof CliException known) {
      error(known.getMessage());
      code = known.exitCode();
    } else if (e instanceof InterruptedException) {
      error("interrupted");
      code = ExitCodes.INTERRUPTED;
    } else if (isEnding()) {
      code = ExitCodes.INTERRUPTED; // after Ctrl-C what was begun fails in many ways
    } else {
      error("this should not happen: " + e + (verbose.isSet() ? "" : "; --verbose tells where"));
      code = ExitCodes.INTERNAL;
    }
    if (verbose.isSet()) {
      e.printStackTrace(terminal.err());
    }
    return code;
  }

  /** Whether the process is going down already. */
  private static boolean isEnding() {
    Thread nothing = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(nothing);
      Runtime.getRuntime().removeShutdownHook(nothing);
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  private void error(String message) {
    String label = terminal.coloursErr() ? "\u001b[1;31merror:\u001b[0m " : "error: ";
    terminal.err().println(label + message);
  }

  private static PrintWriter writer(java.io.PrintStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
  }
}
