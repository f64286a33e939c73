package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.format.TranscriptFormat;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.JobOptions;
import dev.amanuensis.cli.kafka.JobSubmitter;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.Placement;
import dev.amanuensis.cli.kafka.TranscriptReader;
import dev.amanuensis.cli.kafka.Urgency;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Puts jobs into Kafka. */
@Command(
    name = "submit",
    description = {
      "Submit audio files as jobs, and print each job's id and file, separated by a tab.",
      "Files up to the inline limit travel inside the record. Larger ones are submitted as"
          + " references if they are below a --file-root, else uploaded to where --upload says."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis submit talk.mp3",
      "  amanuensis submit -b kafka:9092 --schema-registry http://registry:8081 *.wav",
      "  amanuensis submit --directory recordings --language fr",
      "  amanuensis submit --wait --format json talk.mp3",
      "  amanuensis submit --lane bulk --directory archive --file-root archive --format json",
      "  amanuensis submit --lane interactive --deadline 2m question.ogg",
      "  amanuensis submit --upload s3://audio/inbox --s3-endpoint http://minio:9000"
          + " --s3-path-style film.mkv",
      "",
      "Exit codes: 0 all submitted (with --wait: all done), 1 a file was not, 4 not reachable, 5"
          + " timed out."
    })
public final class SubmitCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Function<String, String> languageCode;

  @Parameters(
      paramLabel = "FILE",
      arity = "0..*",
      description = "Audio or video files; - is standard input.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = {"-d", "--directory"},
      paramLabel = "DIR",
      description = "Submit all audio files in this directory and below.")
  private Path directory;

  @Option(names = "--wait", description = "Wait for the transcripts and print them instead.")
  private boolean wait;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      converter = PositiveSeconds.class,
      description = "With --wait: give up after this time. Default: never.")
  private Long timeoutSeconds;

  @Mixin private UrgencyOptions urgency;
  @Mixin private PlacementOptions placement;
  @Mixin private OutputOptions output;
  @Mixin private TranscriptionMixin transcription;
  @Mixin private ConnectionOptions connection;

  /**
   * @param languageCode code for a language as users write it, or null if there is none
   */
  public SubmitCommand(Terminal terminal, Function<String, String> languageCode) {
    this.terminal = terminal;
    this.languageCode = languageCode;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    JobOptions options = transcription.options(languageCode);
    List<Path> named = AudioFiles.list(files, directory);
    if (named.isEmpty()) {
      throw new CliException(ExitCodes.USAGE, "name files, or a directory with --directory");
    }
    try (StatusLine status = new StatusLine(terminal);
        Spool spool = new Spool(System.in, status::say)) {
      OutputSink sink = new OutputSink(output.format, output.directory, named, terminal, status);
      JobBatch batch = new JobBatch(terminal, status, directory);
      status.show("reading the input");
      List<Input> readable = batch.readable(named, spool);
      if (!readable.isEmpty()) {
        KafkaTarget target = connection.target();
        status.show("connecting to " + target.bootstrapServers());
        Urgency when = urgency.urgency();
        ConnectionCheck.run(
            target,
            List.of(when.lane().topic(target.jobsTopic()), target.transcriptsTopic()),
            connection.connectTimeout());
        submit(target, options, when, readable, batch, sink, status);
      }
      return batch.exitCode();
    }
  }

  private void submit(
      KafkaTarget target,
      JobOptions options,
      Urgency when,
      List<Input> readable,
      JobBatch batch,
      OutputSink sink,
      StatusLine status)
      throws CliException, InterruptedException {
    Duration patience = connection.connectTimeout();
    Placement place = placement.placement();
    try (TranscriptReader reader = wait ? new TranscriptReader(target, patience) : null;
        JobSubmitter submitter = new JobSubmitter(target, options, when, place, patience)) {
      if (reader != null) {
        reader.seekToEnd(); // before the first job: its result can't be missed
      }
      status.show("submitting");
      batch.submit(readable, submitter, (id, file) -> report(id, file, status));
      if (reader != null) {
        Duration timeout = timeoutSeconds == null ? null : Duration.ofSeconds(timeoutSeconds);
        batch.await(reader, sink, timeout, () -> null);
        if (batch.summary() != null) {
          terminal.err().println(batch.summary());
        }
      }
    }
  }

  private void report(String id, Path file, StatusLine status) {
    var stream = wait ? terminal.err() : terminal.out();
    status.above(
        () -> {
          boolean json = !wait && output.format == TranscriptFormat.JSON;
          stream.print(
              json
                  ? Json.line(new TreeMap<>(Map.of("job_id", id, "file", file.toString()))) + "\n"
                  : id + "\t" + file + "\n");
          stream.flush();
        });
  }
}
