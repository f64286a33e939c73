package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.JobOptions;
import dev.amanuensis.cli.kafka.JobSubmitter;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.TranscriptReader;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
          + " references: workers must be able to read the same path."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis submit talk.mp3",
      "  amanuensis submit -b kafka:9092 --schema-registry http://registry:8081 *.wav",
      "  amanuensis submit --directory recordings --language fr",
      "  amanuensis submit --wait --format json talk.mp3"
    })
public final class SubmitCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Function<String, String> languageCode;

  @Parameters(paramLabel = "FILE", arity = "0..*", description = "Audio or video files.")
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
      description = "With --wait: give up after this time. Default: never.")
  private Long timeoutSeconds;

  @Option(
      names = "--max-inline-bytes",
      paramLabel = "N",
      defaultValue = "" + JobSubmitter.MAX_INLINE_BYTES,
      description = "Larger files are submitted as references. Default: ${DEFAULT-VALUE}.")
  private long maxInlineBytes;

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
    try (StatusLine status = new StatusLine(terminal)) {
      OutputSink sink = new OutputSink(output.format, output.directory, named, terminal, status);
      JobBatch batch = new JobBatch(terminal, status);
      List<Path> readable = batch.readable(named);
      if (!readable.isEmpty()) {
        KafkaTarget target = connection.target();
        status.show("connecting to " + target.bootstrapServers());
        ConnectionCheck.run(target, connection.connectTimeout());
        submit(target, options, readable, batch, sink, status);
      }
      return batch.exitCode();
    }
  }

  private void submit(
      KafkaTarget target,
      JobOptions options,
      List<Path> readable,
      JobBatch batch,
      OutputSink sink,
      StatusLine status)
      throws CliException, InterruptedException {
    Duration patience = connection.connectTimeout();
    JobSubmitter.Limits limits = new JobSubmitter.Limits(maxInlineBytes);
    try (TranscriptReader reader = wait ? new TranscriptReader(target, patience) : null;
        JobSubmitter submitter = new JobSubmitter(target, options, limits, patience)) {
      if (reader != null) {
        reader.seekToEnd(); // before the first job: its result can't be missed
      }
      status.show("submitting");
      batch.submit(readable, submitter, (id, file) -> report(id, file, status));
      if (reader != null) {
        Duration timeout = timeoutSeconds == null ? null : Duration.ofSeconds(timeoutSeconds);
        batch.await(reader, sink, timeout, () -> null);
      }
    }
  }

  private void report(String id, Path file, StatusLine status) {
    var stream = wait ? terminal.err() : terminal.out();
    status.above(
        () -> {
          stream.print(id + "\t" + file + "\n");
          stream.flush();
        });
  }
}
