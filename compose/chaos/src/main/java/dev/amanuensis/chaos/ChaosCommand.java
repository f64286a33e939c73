package dev.amanuensis.chaos;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.command.AudioFiles;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.worker.config.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Breaks a fleet on purpose and counts what came out. */
@Command(
    name = "chaos",
    description = {
      "Run a fleet of worker processes against a Kafka cluster of several processes, kill and stop"
          + " parts of it while it works, and count what anybody sees of it: every job answered"
          + " once, none lost, none twice, dead letters for poison only.",
      "The same options and seed give the same faults at the same share of the results. Exit code 0"
          + " if nothing was lost, doubled or wrong, else 1."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis chaos --jobs 500",
      "  amanuensis chaos --jobs 10000 --kills 30 --broker-restarts 3 --registry-outages 2 --seed 7",
      "  amanuensis chaos --jobs 500 --stalls",
      "  amanuensis chaos --jobs 1000 --speech recordings/ --speech-jobs 200"
    })
public final class ChaosCommand implements Callable<Integer> {
  private static final String DEVICE = "device";

  private final Terminal terminal;

  @Option(names = "--jobs", paramLabel = "N", defaultValue = "500", description = "Good jobs.")
  private int jobs;

  @Option(
      names = "--poison",
      paramLabel = "N",
      defaultValue = "1",
      description = "Jobs that crash their worker with SIGSEGV. Default: ${DEFAULT-VALUE}.")
  private int poison;

  @Option(
      names = "--undecodable",
      paramLabel = "N",
      defaultValue = "5",
      description = "Records that are no jobs. Default: ${DEFAULT-VALUE}.")
  private int undecodable;

  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "3",
      description = "Worker processes. Default: ${DEFAULT-VALUE}.")
  private int workers;

  @Option(
      names = "--brokers",
      paramLabel = "N",
      defaultValue = "3",
      description = "Kafka processes. Default: ${DEFAULT-VALUE}.")
  private int brokers;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of the faults and the order of the jobs. Default: any, and it is told.")
  private Long seed;

  @Option(
      names = "--kills",
      paramLabel = "N",
      defaultValue = "4",
      description = "SIGKILLs of workers. Default: ${DEFAULT-VALUE}.")
  private int kills;

  @Option(
      names = "--stops",
      paramLabel = "N",
      defaultValue = "1",
      description = "SIGSTOPs of workers for longer than their session. Default: ${DEFAULT-VALUE}.")
  private int stops;

  @Option(
      names = "--broker-restarts",
      paramLabel = "N",
      defaultValue = "1",
      description = "SIGKILLs of brokers, which start again. Default: ${DEFAULT-VALUE}.")
  private int brokerRestarts;

  @Option(
      names = "--registry-outages",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Outages of the Schema Registry while a worker starts. Default: ${DEFAULT-VALUE}.")
  private int registryOutages;

  @Option(
      names = "--full-disks",
      paramLabel = "N",
      defaultValue = "1",
      description = "Times that the spill folder is full. Default: ${DEFAULT-VALUE}.")
  private int fullDisks;

  @Option(
      names = "--storms",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Times that workers come and go one after the other. Default: ${DEFAULT-VALUE}.")
  private int storms;

  @Option(
      names = "--broker-freezes",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "SIGSTOPs of brokers: fetches and commits hang for 6 s. Default: ${DEFAULT-VALUE}.")
  private int freezes;

  @Option(
      names = "--slow-fetches",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Times that the storage of referenced audio answers late or not at all. Default:"
              + " ${DEFAULT-VALUE}.")
  private int slowFetches;

  @Option(
      names = "--hangs",
      paramLabel = "N",
      defaultValue = "1",
      description = "Times that the device of a worker hangs. Default: ${DEFAULT-VALUE}.")
  private int hangs;

  @Option(
      names = "--stalls",
      description =
          "Let processes stand still for up to 2 s, one after the other, all the time: everything"
              + " comes in another order.")
  private boolean stalls;

  @Option(
      names = "--speech",
      paramLabel = "FILE|DIR",
      description =
          "Speech for one more worker that really transcribes (may be repeated). Default: none.")
  private List<Path> speech = new ArrayList<>();

  @Option(
      names = "--speech-jobs",
      paramLabel = "N",
      description =
          "How many of the jobs hold speech, in turns. Default: as many as there are files.")
  private Integer speechJobs;

  @Option(
      names = "--patience",
      paramLabel = "SECONDS",
      defaultValue = "90",
      description = "End the run when no result came for so long. Default: ${DEFAULT-VALUE}.")
  private int patience;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description = "Of Kafka, the registry and all logs. Default: a temporary one, kept.")
  private Path data;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "A setting of the workers (may be repeated). Default: device=simulated.")
  private Map<String, String> settings = new LinkedHashMap<>();

  public ChaosCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    if (Arrays.stream(Setting.values()).anyMatch(s -> s.key().equals(DEVICE))) {
      settings.putIfAbsent(DEVICE, "simulated");
    }
    long chosen = seed == null ? new Random().nextInt(1_000_000) : seed;
    try {
      Path directory = data == null ? Files.createTempDirectory("amanuensis-chaos") : data;
      List<Path> files = files(speech);
      ChaosOptions options =
          new ChaosOptions(
              jobs,
              poison,
              undecodable,
              workers,
              brokers,
              chosen,
              faults(),
              stalls,
              files,
              files.isEmpty() ? 0 : speechJobs == null ? files.size() : speechJobs,
              Duration.ofSeconds(patience),
              directory.toAbsolutePath(),
              settings);
      terminal.err().printf("seed %d, logs in %s%n", chosen, directory);
      ChaosReport report = new ChaosRun(options, terminal.err()).run();
      terminal.out().print(report.table());
      terminal.out().flush();
      return report.ok() ? ExitCodes.OK : ExitCodes.FAILED;
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "the harness itself failed: " + e.getMessage(), e);
    }
  }

  private Map<Fault, Integer> faults() {
    Map<Fault, Integer> times = new EnumMap<>(Fault.class);
    times.put(Fault.KILL, kills);
    times.put(Fault.STOP, stops);
    times.put(Fault.BROKER, brokerRestarts);
    times.put(Fault.FREEZE, freezes);
    times.put(Fault.REGISTRY, registryOutages);
    times.put(Fault.DISK, fullDisks);
    times.put(Fault.FETCH, slowFetches);
    times.put(Fault.HANG, hangs);
    times.put(Fault.STORM, storms);
    return times;
  }

  /** A folder stands for the audio files in it. */
  private static List<Path> files(List<Path> named) throws CliException {
    List<Path> files = new ArrayList<>();
    for (Path path : named) {
      files.addAll(
          Files.isDirectory(path)
              ? AudioFiles.list(List.of(), path)
              : AudioFiles.list(List.of(path), null));
    }
    return files;
  }
}
