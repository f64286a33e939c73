package dev.amanuensis.bench.pipeline;

import dev.amanuensis.bench.Machine;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.worker.device.DeviceStatistics;
import dev.amanuensis.worker.job.AudioSource;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The pipeline by itself, on a simulated device. */
@Command(
    name = "pipeline",
    description = {
      "Measure the pipeline itself on a SIMULATED device: no model, no transcription.",
      "Log-mel, queues, buffers and threads are real; the encoder is a wait of a set time, the"
          + " decoder a stub."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis bench pipeline",
      "  amanuensis bench pipeline --window-ms 15 --seconds 60 --load 40,60,90",
      "  amanuensis bench pipeline --seconds 0 --load= --endurance 1000"
    })
public final class PipelineCommand implements Callable<Integer> {
  private static final double WARM_UP_SECONDS = 3;
  private static final double WINDOW_SECONDS = 29.99;
  private static final int MAX_JOBS = 4000;

  private final Terminal terminal;

  @Option(
      names = "--window-ms",
      paramLabel = "MS",
      defaultValue = "15",
      description = "Service time of the device. Default: ${DEFAULT-VALUE}.")
  private double windowMillis;

  @Option(
      names = "--step-us",
      paramLabel = "US",
      defaultValue = "0",
      description =
          "Time of one step of the stubbed decoder, 13 of which make a window's text. Default:"
              + " ${DEFAULT-VALUE}.")
  private long stepMicros;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "30",
      description = "Time of each measurement; 0 leaves out the one at full load. Default: 30.")
  private double seconds;

  @Option(
      names = "--load",
      paramLabel = "PERCENT[,PERCENT...]",
      split = ",",
      defaultValue = "40,60,90",
      description = "Loads of the queueing table; --load= leaves it out. Default: 40,60,90.")
  private List<String> loads;

  @Option(
      names = "--endurance",
      paramLabel = "JOBS",
      defaultValue = "0",
      description = "Then so many mixed jobs, 15 at once and 5 %% broken. Default: none.")
  private int endurance;

  public PipelineCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    PrintStream out = terminal.out();
    out.printf("machine: %s%n", Machine.here().describe());
    out.printf(
        "device: SIMULATED, %.3f ms per window; log-mel real; decoder stubbed, %d us per step%n",
        windowMillis, stepMicros);
    try {
      Path directory = Files.createTempDirectory("amanuensis-pipeline-");
      try {
        return measure(directory, out) ? ExitCodes.OK : ExitCodes.FAILED;
      } finally {
        delete(directory);
      }
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "bench pipeline: " + e.getMessage(), e);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  private boolean measure(Path directory, PrintStream out)
      throws IOException, InterruptedException {
    if (seconds > 0) {
      saturate(directory);
    }
    List<String> wanted = loads.stream().filter(load -> !load.isBlank()).toList();
    if (!wanted.isEmpty()) {
      out.println();
      out.println("Waiting for the device, Poisson arrivals, milliseconds:");
      out.println("| load | windows | mean | p50 | p99 | M/D/1: mean | p50 | p99 | log-mel |");
      out.println("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
      for (String load : wanted) {
        queue(Double.parseDouble(load) / 100, directory);
      }
    }
    if (endurance > 0) {
      out.println();
      return new Endurance(directory, endurance, out).run();
    }
    return true;
  }

  private Rig rig(Path root) {
    return new Rig(
        Duration.ofNanos((long) (windowMillis * 1e6)),
        Duration.ofNanos(stepMicros * 1000),
        MAX_JOBS,
        root);
  }

  private static AudioSource window() {
    return new AudioSource.Inline(ByteBuffer.wrap(Noise.wav(1, WINDOW_SECONDS)), null);
  }

  /** As many jobs as keep all stages full. */
  private void saturate(Path root) throws InterruptedException {
    AudioSource audio = window();
    try (Rig rig = rig(root)) {
      Semaphore free = new Semaphore(24);
      long begin = System.nanoTime();
      DeviceStatistics before = null;
      while (true) {
        double at = (System.nanoTime() - begin) / 1e9;
        if (before == null && at > WARM_UP_SECONDS) {
          before = rig.snapshot().device();
        }
        if (at > WARM_UP_SECONDS + seconds) {
          break;
        }
        free.acquire();
        rig.submit(Rig.job("full", audio), result -> free.release());
      }
      DeviceStatistics after = rig.snapshot().device();
      double wall = after.uptime().minus(before.uptime()).toNanos() / 1e9;
      double busy = after.busy().minus(before.busy()).toNanos() / 1e9;
      long windows = after.windows() - before.windows();
      terminal
          .out()
          .printf(
              "full load: %.2f windows/s, device duty %.2f %% over %.1f s (possible: %.2f)%n",
              windows / wall, 100 * busy / wall, wall, 1000 / windowMillis);
      terminal.out().flush();
    }
  }

  private void queue(double load, Path root) throws InterruptedException {
    AudioSource audio = window();
    double rate = load / (windowMillis / 1000);
    SplittableRandom random = new SplittableRandom(3);
    try (Rig rig = rig(root)) {
      long begin = System.nanoTime();
      double next = 0;
      int warm = 0;
      while (next < WARM_UP_SECONDS + seconds) {
        next += Queueing.exponential(random, rate);
        LockSupport.parkNanos(begin + (long) (next * 1e9) - System.nanoTime());
        while (System.nanoTime() - begin < next * 1e9) {
          Thread.onSpinWait();
        }
        if (next < WARM_UP_SECONDS) {
          warm++;
        }
        rig.submit(Rig.job("open", audio), result -> {});
      }
      while (rig.pipeline.inFlight() > 0) {
        Thread.sleep(5);
      }
      List<Rig.Wait> waits = new ArrayList<>(rig.waits);
      waits = waits.subList(Math.min(warm, waits.size() - 1), waits.size());
      // A window's own log-mel is work, not waiting.
      Queueing measured =
          Queueing.measured(waits.stream().mapToDouble(w -> w.millis() - w.hostMillis()).toArray());
      double host = waits.stream().mapToDouble(Rig.Wait::hostMillis).average().orElse(0);
      Queueing theory = Queueing.theory(load).times(windowMillis);
      terminal
          .out()
          .printf(
              "| %.0f %% | %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f |%n",
              100 * load,
              waits.size(),
              measured.mean(),
              measured.p50(),
              measured.p99(),
              theory.mean(),
              theory.p50(),
              theory.p99(),
              host);
      terminal.out().flush();
    }
  }
}
