package dev.amanuensis.standalone;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuStatistics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Bursts of work with gaps in which the driver suspends the device. */
final class NpuSoak {
  /** The driver suspends the device after 5 s without work. */
  private static final long IDLE_MILLIS = 7_000;

  private static final long BURST_MILLIS = 20_000;

  private final int lanes;
  private final Duration length;
  private final Consumer<String> say;
  private final Map<String, Integer> statusAfterGap = new TreeMap<>();
  private long busyNanos;
  private long burstNanos;
  private long burstEnergy;

  NpuSoak(int lanes, Duration length, Consumer<String> say) {
    this.lanes = lanes;
    this.length = length;
    this.say = say;
  }

  void run(
      EncoderTrial trial,
      NpuDevice device,
      List<byte[]> right,
      NpuVerdict verdict,
      AcceptanceReport report)
      throws IOException, InterruptedException {
    say.accept(
        "== soak for "
            + length.toSeconds()
            + " s: bursts, and gaps in which the device is suspended");
    NpuStatistics before = device.statistics();
    PackagePower power = new PackagePower();
    long end = System.nanoTime() + length.toNanos();
    long windows = 0;
    long wrong = 0;
    for (int burst = 1; System.nanoTime() < end; burst++) {
      NpuStatistics begun = device.statistics();
      PackagePower burstPower = new PackagePower();
      long until = Math.min(end, System.nanoTime() + BURST_MILLIS * 1_000_000);
      while (System.nanoTime() < until) {
        wrong += trial.run(lanes, 2, right);
        windows += 2L * lanes;
        power.sample();
      }
      NpuStatistics s = device.statistics();
      double duty = note(begun, s, burstPower);
      say.accept(
          "  burst %d: %d windows, %d differ, %d faults, duty %.0f %%, state %s, %s"
              .formatted(
                  burst, windows, wrong, s.faults(), 100 * duty, s.state(), burstPower.text()));
      write(report, before, s, windows, wrong, power);
      report.save(verdict, "soak");
      gap(burst, (end - System.nanoTime()) / 1_000_000);
      power.sample();
    }
    NpuStatistics s = device.statistics();
    write(report, before, s, windows, wrong, power);
    verdict.require(wrong == 0, "soak", wrong + " windows differ from the CPU's");
    verdict.complete("soak", before, s, windows);
  }

  /** Returns the duty of a burst. */
  private double note(NpuStatistics begun, NpuStatistics s, PackagePower power) {
    long busy = s.busy().minus(begun.busy()).toNanos();
    long wall = s.wall().minus(begun.wall()).toNanos();
    busyNanos += busy;
    burstNanos += wall;
    burstEnergy = power.energy() < 0 || burstEnergy < 0 ? -1 : burstEnergy + power.energy();
    return wall == 0 ? 0 : (double) busy / wall;
  }

  private void gap(int burst, long left) throws InterruptedException {
    long pause = Math.min(left, burst % 5 == 0 ? 4 * IDLE_MILLIS : IDLE_MILLIS);
    if (pause <= 0) {
      return;
    }
    Thread.sleep(pause);
    if (pause >= IDLE_MILLIS) {
      statusAfterGap.merge(RuntimeStatus.of(Path.of("/sys/bus/pci/devices")), 1, Integer::sum);
    }
  }

  private void write(
      AcceptanceReport report,
      NpuStatistics before,
      NpuStatistics s,
      long windows,
      long wrong,
      PackagePower power) {
    ObjectNode node = report.root().putObject("soak");
    node.put("seconds", length.toSeconds()).put("windows", windows);
    node.put("windows_that_differ", wrong).put("products", s.products() - before.products());
    node.put("duty_in_bursts", burstNanos == 0 ? 0 : (double) busyNanos / burstNanos);
    node.put("package_watts", power.watts()).put("package_power", power.text());
    node.put(
        "package_watts_in_bursts",
        burstEnergy < 0 || burstNanos == 0 ? Double.NaN : burstEnergy * 1e3 / burstNanos);
    ObjectNode gaps = node.putObject("runtime_status_after_gaps");
    statusAfterGap.forEach(gaps::put);
    node.set("statistics", NpuAcceptance.statistics(s));
  }
}
