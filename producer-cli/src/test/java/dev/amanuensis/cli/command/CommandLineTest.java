package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.CommandRunner;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What the command line answers before, or instead of, doing anything. */
class CommandLineTest {
  @Command(name = "amanuensis")
  private static final class Root {}

  private static final Map<String, String> LANGUAGES = Map.of("en", "en", "french", "fr");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final AtomicReference<LocalFleet.Request> request = new AtomicReference<>();
  @TempDir Path directory;
  private Path audio;

  @BeforeEach
  void writeAudio() throws Exception {
    audio = Files.write(directory.resolve("a.wav"), new byte[] {1, 2, 3});
  }

  private int run(Object... arguments) {
    Terminal terminal = new Terminal(out, err, false, false, true);
    LocalFleet.Starter starter =
        (asked, status) -> {
          request.set(asked);
          throw new CliException(ExitCodes.MODEL, "model: there is none");
        };
    CommandLine commandLine =
        new CommandLine(new Root())
            .addSubcommand(new TranscribeCommand(terminal, starter, LANGUAGES::get))
            .addSubcommand(new SubmitCommand(terminal, LANGUAGES::get))
            .addSubcommand(new WatchCommand(terminal))
            .addSubcommand(new JobsCommand(terminal))
            .addSubcommand(new CancelCommand(terminal));
    String[] words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = arguments[i].toString();
    }
    return new CommandRunner(commandLine, terminal, () -> false).run(words);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void unknownOptionIsUsageAndPointsToTheHelp() {
    assertThat(run("transcribe", "--frobnicate", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("--frobnicate").contains("Try: amanuensis transcribe --help");
    assertThat(out.size()).isZero();
  }

  @Test
  void noFileIsUsage() {
    assertThat(run("transcribe")).isEqualTo(ExitCodes.USAGE);
    assertThat(run("submit")).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("FILE").contains("--directory");
  }

  @Test
  void unknownLanguageIsUsageBeforeAnythingStarts() {
    assertThat(run("transcribe", "--language", "klingon", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("unknown language 'klingon'").contains("French");
    assertThat(request.get()).isNull();
  }

  @Test
  void unknownFormatNamesTheFormatsThereAre() {
    assertThat(run("transcribe", "--format", "docx", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("docx").contains("srt");
  }

  @Test
  void valueOutOfRangeNamesItsOption() {
    assertThat(run("transcribe", "--temperature", "-1", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(run("transcribe", "--beam-size", "0", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(run("transcribe", "--logprob-threshold", "low", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(run("transcribe", "--timeout", "0", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(run("submit", "--connect-timeout", "-1", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(err())
        .contains("--temperature must be between 0 and 1")
        .contains("'--timeout': '0' is not a whole number of seconds from 1")
        .contains("'--connect-timeout'")
        .contains("--beam-size must be")
        .contains("'low' is neither a number nor 'off'");
  }

  @Test
  void everyTemperatureIsFromZeroToOne() {
    for (String bad : new String[] {"7", "1.01", "0,2", "-0.1", ",", "nan"}) {
      int code = run("transcribe", "--temperature", bad, audio);
      assertThat(code).as("--temperature %s", bad).isEqualTo(ExitCodes.USAGE);
      code = run("submit", "--temperature", bad, audio);
      assertThat(code).as("--temperature %s", bad).isEqualTo(ExitCodes.USAGE);
    }
    assertThat(request.get()).isNull();
    assertThat(run("transcribe", "--temperature", "0,1", audio)).isEqualTo(ExitCodes.MODEL);
  }

  @Test
  void clipThatEndsBeforeItStartsIsUsage() {
    assertThat(run("transcribe", "--clip-timestamps", "5,3", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(run("transcribe", "--clip-timestamps", "1,2,5,5", audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("each END after its START");
    assertThat(run("transcribe", "--clip-timestamps", "5,7,1", audio)).isEqualTo(ExitCodes.MODEL);
  }

  @Test
  void serverWithoutAPortIsUsage() {
    int code = run("submit", "-b", "localhost", "--connect-timeout", "1", audio);
    assertThat(code).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("Invalid url").contains("HOST:PORT").doesNotContain("running");
  }

  @Test
  void emptyServerIsNotTheDefaultOne() {
    for (String command : new String[] {"transcribe", "submit", "watch"}) {
      String[] words = {command, "-b", "", audio.toString()};
      int length = command.equals("watch") ? 3 : 4;
      assertThat(run((Object[]) Arrays.copyOf(words, length))).isEqualTo(ExitCodes.USAGE);
    }
    assertThat(err().lines())
        .hasSize(3)
        .allMatch(line -> line.startsWith("error: --bootstrap-server is empty; give it HOST:PORT"));
    assertThat(request.get()).isNull();
  }

  @Test
  void inlineBytesAreFromNoneToWhatARecordMayHold() {
    for (String bad : new String[] {"-5", "1e6", "64000001", ""}) {
      int code = run("submit", "-b", "localhost:1", "--max-inline-bytes", bad, audio);
      assertThat(code).as("--max-inline-bytes %s", bad).isEqualTo(ExitCodes.USAGE);
    }
    assertThat(err()).contains("'-5' is not a whole number of bytes from 0").contains("64000000");
  }

  @Test
  void outputThatIsNoDirectoryIsUsageBeforeAnythingStarts() {
    assertThat(run("transcribe", "--output", audio, audio)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("--output " + audio + " is not a directory");
    assertThat(request.get()).isNull();
  }

  @Test
  void workerOptionsAreRefusedForARemoteCluster() {
    int code = run("transcribe", "-b", "localhost:1", "--profile", "fast", audio);
    assertThat(code).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("amanuensis worker");
  }

  @Test
  void missingFileIsReportedAndStartsNothing() {
    assertThat(run("transcribe", directory.resolve("none.wav"))).isEqualTo(ExitCodes.FAILED);
    assertThat(err()).contains("none.wav: no such file");
    assertThat(request.get()).isNull();
  }

  @Test
  void emptyFileNameIsUsage() {
    assertThat(run("transcribe", "")).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("name is empty");
  }

  @Test
  void emptyJobIdIsUsage() {
    assertThat(run("cancel", "-b", "localhost:1", "")).isEqualTo(ExitCodes.USAGE);
    assertThat(run("jobs", "status", "-b", "localhost:1", " ")).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("the id is empty");
  }

  @Test
  void settingsThatCantBeReadAreUsage() {
    Path none = directory.resolve("none.properties");
    int code = run("submit", "-b", "localhost:1", "--command-config", none, audio);
    assertThat(code).isEqualTo(ExitCodes.USAGE);
    assertThat(err())
        .contains("can't read --command-config: no such file or directory: " + none)
        .doesNotContain("Exception");
  }

  @Test
  void directoryNamedAsFileIsUsage() {
    assertThat(run("transcribe", directory)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("is a directory");
  }

  @Test
  void fleetIsAskedForTheFilesDirectories() {
    assertThat(run("transcribe", "--profile", "reference", audio)).isEqualTo(ExitCodes.MODEL);
    assertThat(request.get().profile()).isEqualTo("reference");
    assertThat(request.get().allowedRoots()).containsExactly(directory);
    assertThat(err()).isEqualTo("error: model: there is none\n");
  }

  @Test
  void brokerThatIsNotThereIsUnreachable() throws Exception {
    int port = freePort();
    for (String command : new String[] {"transcribe", "submit"}) {
      int code = run(command, "-b", "localhost:" + port, "--connect-timeout", "1", audio);
      assertThat(code).isEqualTo(ExitCodes.UNREACHABLE);
    }
    assertThat(run("watch", "-b", "localhost:" + port, "--connect-timeout", "1"))
        .isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(run("watch", "-b", "no-such-host.invalid:9092", "--connect-timeout", "1"))
        .isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(err())
        .contains("can't reach Kafka at localhost:" + port + " within 1 s")
        .contains("amanuensis standalone")
        .doesNotContain("\tat ");
  }

  @Test
  void twoTranscriptsForOneFileAreRefused() throws Exception {
    Path other = Files.write(directory.resolve("a.mp3"), new byte[] {1});
    assertThat(run("transcribe", "-o", directory, audio, other)).isEqualTo(ExitCodes.USAGE);
    assertThat(err()).contains("both be written to").contains("a.txt");
  }

  @Test
  void everyCommandHasHelpWithExamples() {
    for (String command : new String[] {"transcribe", "submit", "watch"}) {
      String help =
          new CommandLine(new Root())
              .addSubcommand(new TranscribeCommand(null, null, null))
              .addSubcommand(new SubmitCommand(null, null))
              .addSubcommand(new WatchCommand(null))
              .getSubcommands()
              .get(command)
              .getUsageMessage();
      assertThat(help).contains("Examples:").contains("amanuensis " + command);
    }
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
