package dev.amanuensis.bench.peers;

import dev.amanuensis.bench.Median;
import dev.amanuensis.bench.SpeechSet;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Runs the contenders in turns, so that a machine that slows down slows all of them. All processes
 * live from the first turn to the last; those that are not running wait for their input.
 */
final class Race {
  private final Settings settings;
  private final SpeechSet speech;
  private final Path work;
  private final StatusLine status;
  private final Consumer<String> passes;

  /**
   * How one contender did.
   *
   * @param speed times realtime
   * @param cpu seconds of one core for a minute of audio: what it costs where others share the
   *     cores
   * @param first its texts of the first measured pass
   */
  record Entry(
      Contender contender,
      String versions,
      String isa,
      Median speed,
      Median cpu,
      Runner.Pass first) {}

  /**
   * @param passes is told of each pass when it is done: a comparison takes minutes
   */
  Race(Settings settings, SpeechSet speech, Path work, StatusLine status, Consumer<String> passes) {
    this.settings = settings;
    this.speech = speech;
    this.work = work;
    this.status = status;
    this.passes = passes;
  }

  List<Entry> run(List<Contender> contenders) throws CliException, InterruptedException {
    List<Runner> runners = new ArrayList<>();
    try {
      for (Contender contender : contenders) {
        runners.add(start(contender));
      }
      List<List<Double>> speeds = new ArrayList<>();
      List<List<Double>> costs = new ArrayList<>();
      contenders.forEach(c -> speeds.add(new ArrayList<>()));
      contenders.forEach(c -> costs.add(new ArrayList<>()));
      List<Runner.Pass> first = new ArrayList<>();
      for (int turn = 0; turn < settings.runs(); turn++) {
        for (int i = 0; i < runners.size(); i++) {
          status.show(
              "run %d of %d: %s".formatted(turn + 1, settings.runs(), contenders.get(i).title()));
          Runner.Pass pass = runners.get(i).run(speech.files());
          if (pass.texts().size() != speech.files().size()) {
            throw new CliException(
                ExitCodes.INTERNAL, contenders.get(i).title() + " did not answer for every file");
          }
          speeds.get(i).add(speech.seconds() / pass.seconds());
          passes.accept(
              String.format(
                  Locale.ROOT,
                  "run %d of %d: %s: %.1f x realtime, %.1f core-seconds",
                  turn + 1,
                  settings.runs(),
                  contenders.get(i).title(),
                  speech.seconds() / pass.seconds(),
                  pass.cpuSeconds()));
          costs.get(i).add(60 * pass.cpuSeconds() / speech.seconds());
          if (turn == 0) {
            first.add(pass);
          }
        }
      }
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < runners.size(); i++) {
        Runner runner = runners.get(i);
        entries.add(
            new Entry(
                contenders.get(i),
                runner.versions(),
                runner.isa(),
                Median.of(speeds.get(i)),
                Median.of(costs.get(i)),
                first.get(i)));
      }
      return entries;
    } finally {
      runners.forEach(Runner::close);
    }
  }

  /** Starts a contender and lets it warm up on the first file. */
  Runner start(Contender contender) throws CliException, InterruptedException {
    status.show("preparing " + contender.title());
    List<String> command = new ArrayList<>(pinning());
    command.addAll(contender.start().command());
    Map<String, String> environment = new HashMap<>(settings.isa().environment());
    environment.put("OMP_NUM_THREADS", Integer.toString(settings.threads()));
    environment.put("MKL_NUM_THREADS", Integer.toString(settings.threads()));
    status.show("warming up " + contender.title());
    Runner runner =
        new Runner(contender.title(), command, environment, work.resolve(contender.id() + ".log"));
    try {
      runner.run(speech.files().subList(0, 1));
      return runner;
    } catch (CliException e) {
      runner.close();
      throw e;
    }
  }

  /** With fewer threads than cores every engine is held to the same cores. */
  private List<String> pinning() {
    int cores = Runtime.getRuntime().availableProcessors();
    if (settings.threads() >= cores) {
      return List.of();
    }
    return Files.isExecutable(Path.of("/usr/bin/taskset"))
        ? List.of("/usr/bin/taskset", "-c", "0-" + (settings.threads() - 1))
        : List.of();
  }
}
