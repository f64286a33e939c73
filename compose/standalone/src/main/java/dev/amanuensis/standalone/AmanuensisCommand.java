package dev.amanuensis.standalone;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The root of all commands. */
@Command(
    name = "amanuensis",
    versionProvider = Versions.class,
    synopsisSubcommandLabel = "COMMAND",
    description = "Transcribes speech with Whisper, through Kafka.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis transcribe talk.mp3",
      "  amanuensis transcribe --format srt --output subtitles *.mp4",
      "  amanuensis standalone",
      "  amanuensis submit --wait -b localhost:9092 talk.mp3",
      "",
      "Exit codes: 0 done, 1 a file has no transcript, 2 wrong usage, 3 no usable model,",
      "4 Kafka or registry not reachable, 5 timed out, 70 internal error, 130 interrupted.",
      "Results go to stdout, everything else to stderr."
    })
final class AmanuensisCommand implements Runnable {
  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Log more, and show stack traces.")
  boolean verbose;

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      scope = ScopeType.INHERIT,
      defaultValue = "${env:AMANUENSIS_LOG_FORMAT:-text}",
      description = "How log lines on stderr look: text or json. Default: ${DEFAULT-VALUE}.")
  LogSetup.Format logFormat;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the versions of the program and of Java.")
  boolean version;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which command");
  }
}
