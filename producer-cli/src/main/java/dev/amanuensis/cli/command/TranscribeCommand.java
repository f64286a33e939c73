package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.JobOptions;
import dev.amanuensis.cli.kafka.JobSubmitter;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.Placement;
import dev.amanuensis.cli.kafka.TranscriptReader;
import dev.amanuensis.cli.kafka.Urgency;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Audio files in, transcripts out, through Kafka; brings its own fleet if none is named. */
@Command(
    name = "transcribe",
    description = {
      "Transcribe audio files and print the transcripts.",
      "Without --bootstrap-server it starts Kafka, a Schema Registry and a worker in this process,"
          + " and fetches the model the first time."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis transcribe talk.mp3",
      "  amanuensis transcribe --format srt --output subtitles *.mp4",
      "  amanuensis transcribe --format json --word-timestamps talk.wav | jq .segments",
      "  amanuensis transcribe --profile reference --temperature 0 talk.wav",
      "  ffmpeg -i film.mkv -f wav - | amanuensis transcribe -",
      "  amanuensis transcribe --language German --task translate rede.ogg",
      "  amanuensis transcribe -b localhost:9092 talk.mp3",
      "",
      "Exit code 1: a file has no transcript; why is on stderr, as FILE: CODE: message."
    })
public final class TranscribeCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final LocalFleet.Starter starter;
  private final Function<String, String> languageCode;

  @Parameters(
      paramLabel = "FILE",
      arity = "1..*",
      description = "Audio or video files; - is standard input.")
  private List<Path> files;

  @Mixin private OutputOptions output;
  @Mixin private TranscriptionMixin transcription;
  @Mixin private PlacementOptions placement;
  @Mixin private ConnectionOptions connection;

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      description =
          "Arithmetic of the model: reference (fp32, token for token as openai/whisper) or fast.")
  private String profile;

  @Option(
      names = "--model-dir",
      paramLabel = "DIR",
      description = "Directory of the model (or set AMANUENSIS_MODEL_DIR).")
  private Path modelDirectory;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description =
          "Keep Kafka's data here, and use what is there. Default: a directory that is gone at the"
              + " end.")
  private Path dataDirectory;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      converter = PositiveSeconds.class,
      description = "Give up after this time. Default: never.")
  private Long timeoutSeconds;

  /**
   * @param starter brings the fleet where none is named
   * @param languageCode code for a language as users write it, or null if there is none
   */
  public TranscribeCommand(
      Terminal terminal, LocalFleet.Starter starter, Function<String, String> languageCode) {
    this.terminal = terminal;
    this.starter = starter;
    this.languageCode = languageCode;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    JobOptions options = transcription.options(languageCode);
    refuseWorkerOptionsForRemote();
    try (StatusLine status = new StatusLine(terminal);
        Spool spool = new Spool(System.in, status::say)) {
      List<Path> named = AudioFiles.list(files, null);
      OutputSink sink = new OutputSink(output.format, output.directory, named, terminal, status);
      JobBatch batch = new JobBatch(terminal, status, null);
      status.show("reading the input");
      List<Input> readable = batch.readable(named, spool);
      if (readable.isEmpty()) {
        return batch.exitCode();
      }
      if (connection.isGiven()) {
        status.show("connecting to " + connection.bootstrapServer);
        ConnectionCheck.run(connection.target(), connection.connectTimeout());
        Placement place = placement.placement();
        run(connection.target(), () -> null, options, place, readable, batch, sink);
      } else {
        status.show("starting Kafka");
        try (LocalFleet fleet = starter.start(request(readable), status)) {
          JobBatch.Progress progress =
              () -> {
                fleet.check();
                return fleet.starting();
              };
          Placement local = Placement.local(roots(readable));
          run(fleet.target(), progress, options, local, readable, batch, sink);
          status.show("stopping");
        }
      }
      return batch.exitCode();
    }
  }

  private void run(
      KafkaTarget target,
      JobBatch.Progress progress,
      JobOptions options,
      Placement place,
      List<Input> readable,
      JobBatch batch,
      OutputSink sink)
      throws CliException, InterruptedException {
    try (TranscriptReader reader = new TranscriptReader(target, connection.connectTimeout());
        JobSubmitter submitter =
            new JobSubmitter(
                target, options, Urgency.DEFAULT, place, connection.connectTimeout())) {
      reader.seekToEnd();
      batch.submit(readable, submitter, (id, file) -> {});
      Duration timeout = timeoutSeconds == null ? null : Duration.ofSeconds(timeoutSeconds);
      batch.await(reader, sink, timeout, progress);
    }
  }

  private LocalFleet.Request request(List<Input> readable) {
    return new LocalFleet.Request(profile, modelDirectory, dataDirectory, roots(readable));
  }

  /** The directories of the files, and of what they link to. */
  private static List<Path> roots(List<Input> readable) {
    return readable.stream()
        .map(Input::data)
        .flatMap(TranscribeCommand::directories)
        .distinct()
        .toList();
  }

  private static Stream<Path> directories(Path file) {
    Path named = file.toAbsolutePath().getParent();
    try {
      return Stream.of(named, file.toRealPath().getParent());
    } catch (IOException e) {
      return Stream.of(named); // it is reported when it is submitted
    }
  }

  private void refuseWorkerOptionsForRemote() throws CliException {
    if (connection.isGiven()
        && (profile != null || modelDirectory != null || dataDirectory != null)) {
      throw new CliException(
          ExitCodes.USAGE,
          "--profile, --model-dir and --data-dir are decided by the workers behind"
              + " --bootstrap-server; leave them out, or give them to 'amanuensis worker'");
    }
  }
}
