package dev.amanuensis.bench.fleet;

import dev.amanuensis.bench.InProcess;
import dev.amanuensis.bench.InstalledModel;
import dev.amanuensis.bench.Machine;
import dev.amanuensis.bench.Median;
import dev.amanuensis.bench.SpeechSet;
import dev.amanuensis.bench.TemporaryDirectory;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What Kafka costs: the same files through a broker and a worker, and through the pipeline alone.
 */
@Command(
    name = "fleet",
    description = {
      "Compare transcribing through Kafka with the pipeline alone, in turns, in one process.",
      "The Kafka side has everything: producer, broker, registry, worker, transactions, and a"
          + " read_committed reader."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis bench fleet --audio recordings/ --language en",
      "  amanuensis bench fleet --audio clips/ --copies 4 --runs 5"
    })
public final class FleetCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Option(
      names = "--audio",
      paramLabel = "DIR|FILE",
      required = true,
      description = "All audio files below the directory, or one file.")
  private Path audio;

  @Option(
      names = "--copies",
      paramLabel = "N",
      defaultValue = "1",
      description = "Submit each file N times. Default: ${DEFAULT-VALUE}.")
  private int copies;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "3",
      description = "Runs of each side, in turns. Default: ${DEFAULT-VALUE}.")
  private int runs;

  @Option(
      names = {"-l", "--language"},
      paramLabel = "LANG",
      description = "Code, such as en. Default: detected.")
  private String language;

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      defaultValue = "fast",
      description = "Arithmetic of the model. Default: ${DEFAULT-VALUE}.")
  private String profile;

  public FleetCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    if (copies < 1 || runs < 1) {
      throw new CliException(ExitCodes.USAGE, "--copies and --runs must be at least 1");
    }
    try (StatusLine status = new StatusLine(terminal);
        TemporaryDirectory work = new TemporaryDirectory()) {
      status.show("decoding the audio");
      SpeechSet speech = SpeechSet.decode(audio, 1, work.folder("audio"));
      compare(speech, work, status);
      return ExitCodes.OK;
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "can't set the benchmark up: " + e, e);
    }
  }

  private void compare(SpeechSet speech, TemporaryDirectory work, StatusLine status)
      throws CliException, IOException, InterruptedException {
    ModelFiles model = InstalledModel.locate();
    List<Path> files = new ArrayList<>();
    Collections.nCopies(copies, speech.files()).forEach(files::addAll);
    double seconds = speech.seconds() * copies;
    Path root = work.path().toRealPath();
    TranscriptionOptions options =
        InProcess.options(language, TranscriptionOptions.DEFAULTS.temperatures());
    List<Double> alone = new ArrayList<>();
    List<Double> kafka = new ArrayList<>();
    status.show("loading the model twice, starting Kafka");
    int threads = Runtime.getRuntime().availableProcessors();
    try (InProcess pipeline =
            new InProcess(
                Engine.open(model.weights(), Profile.valueOf(profile.toUpperCase(Locale.ROOT))),
                model.tokenizer(),
                threads,
                List.of(root));
        ThroughKafka fleet =
            new ThroughKafka(work.folder("data"), root, profile, model.weights().getParent())) {
      // A first turn of both is not counted: the JVM compiles, the kernels warm up.
      for (int turn = 0; turn <= runs; turn++) {
        status.show("turn %d of %d: the pipeline alone".formatted(turn, runs));
        List<Job> jobs = new ArrayList<>();
        for (Path file : files) {
          jobs.add(InProcess.reference(file, options));
        }
        long started = System.nanoTime();
        check(pipeline.transcribe(jobs, true));
        alone.add(seconds / ((System.nanoTime() - started) / 1e9));
        status.show("turn %d of %d: through Kafka".formatted(turn, runs));
        started = System.nanoTime();
        fleet.transcribe(files, language, options.temperatures());
        kafka.add(seconds / ((System.nanoTime() - started) / 1e9));
      }
      status.show("stopping");
    }
    status.hide();
    print(
        files.size(),
        seconds,
        Median.of(alone.subList(1, alone.size())),
        Median.of(kafka.subList(1, kafka.size())));
  }

  private void print(int jobs, double seconds, Median alone, Median kafka) {
    terminal
        .out()
        .printf(
            Locale.ROOT,
            "%d jobs, %.1f s of audio, profile %s; medians of %d turns (smallest–largest).%n%n"
                + "Machine: %s.%n%n| | × realtime |%n|---|---|%n"
                + "| pipeline alone | %.2f (%.2f–%.2f) |%n| through Kafka | %.2f (%.2f–%.2f) |%n%n"
                + "Through Kafka: %.1f %% of the pipeline alone.%n",
            jobs,
            seconds,
            profile,
            runs,
            Machine.here().describe(),
            alone.middle(),
            alone.low(),
            alone.high(),
            kafka.middle(),
            kafka.low(),
            kafka.high(),
            100 * kafka.middle() / alone.middle());
  }

  private static void check(List<JobResult> results) throws CliException {
    for (JobResult result : results) {
      if (result.transcription() == null) {
        throw new CliException(ExitCodes.FAILED, result.job().id() + ": " + result.errorMessage());
      }
    }
  }
}
