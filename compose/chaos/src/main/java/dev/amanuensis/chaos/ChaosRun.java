package dev.amanuensis.chaos;

import dev.amanuensis.chaos.ChaosReport.Done;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/** One run: the fleet starts, jobs go in, faults happen, and what came out is counted. */
final class ChaosRun {
  private static final long OUTAGE_MILLIS = 4_000;
  private static final long STOP_MILLIS = ChaosCluster.SESSION_MILLIS + 3_000L;
  private static final double STALL_WINDOW_SECONDS = 20;
  private static final int STORM_VISITS = 5;

  private final ChaosOptions options;
  private final PrintStream log;
  private final List<Done> faults = new ArrayList<>();
  private long started;

  /**
   * @param log one line for each fault
   */
  ChaosRun(ChaosOptions options, PrintStream log) {
    this.options = options;
    this.log = log;
  }

  /**
   * @throws IOException if the harness itself fails, which says nothing about the fleet
   */
  ChaosReport run() throws IOException, InterruptedException {
    Files.createDirectories(options.data());
    try (ChaosCluster cluster = new ChaosCluster(options.data(), options.brokers());
        SmallDisk disk = SmallDisk.create(options.data().resolve("spill"), log)) {
      cluster.start();
      try (ChaosWorkers workers = new ChaosWorkers(options.data(), settings(cluster, disk));
          Audit audit = new Audit(cluster)) {
        workers.start(options.workers());
        started = System.nanoTime();
        AtomicReference<Exception> failed = new AtomicReference<>();
        Thread load = new Thread(() -> submit(cluster, failed), "load");
        load.start();
        try {
          go(cluster, workers, audit, disk, failed);
        } finally {
          load.join();
        }
        Thread.sleep(3_000); // what is published twice shows now
        return report(audit, workers);
      }
    }
  }

  private void submit(ChaosCluster cluster, AtomicReference<Exception> failed) {
    try {
      new Load(options, cluster).submit();
    } catch (IOException | RuntimeException e) {
      failed.set(e);
    }
  }

  private Map<String, String> settings(ChaosCluster cluster, SmallDisk disk) {
    Map<String, String> s = new HashMap<>();
    s.put("bootstrap.servers", cluster.bootstrapServers());
    s.put("schema.registry.url", cluster.registryUrl());
    s.put("group.id", ChaosCluster.GROUP);
    s.put("admin.port", "off");
    s.put("source.spill.dir", disk.directory().toString());
    s.put("max.retries", "8"); // an outage lasts longer than the first tries
    s.putAll(options.settings());
    return s;
  }

  private void go(
      ChaosCluster cluster,
      ChaosWorkers workers,
      Audit audit,
      SmallDisk disk,
      AtomicReference<Exception> failed)
      throws IOException, InterruptedException {
    Iterator<ChaosPlan.Step> steps = ChaosPlan.of(options).steps().iterator();
    ChaosPlan.Step next = steps.hasNext() ? steps.next() : null;
    long patience = options.patience().toNanos();
    while (audit.answered() < options.submitted()) {
      if (failed.get() != null) {
        throw new IOException("the jobs could not be submitted: " + failed.get(), failed.get());
      }
      if (audit.failure() != null) {
        throw new IOException("the results could not be read: " + audit.failure());
      }
      double share = (double) audit.answered() / options.submitted();
      if (next != null && share >= next.at()) {
        perform(next, cluster, workers, disk);
        next = steps.hasNext() ? steps.next() : null;
        continue;
      }
      long last = Math.max(started, audit.lastArrival());
      if (System.nanoTime() - last > patience) {
        log.printf("no result for %d s: giving up%n", options.patience().toSeconds());
        return;
      }
      Thread.sleep(20);
    }
    for (; next != null; next = steps.hasNext() ? steps.next() : null) {
      log.printf("not reached: %s%n", next);
    }
  }

  private void perform(
      ChaosPlan.Step step, ChaosCluster cluster, ChaosWorkers workers, SmallDisk disk)
      throws IOException, InterruptedException {
    double at = (System.nanoTime() - started) / 1e9;
    String target =
        switch (step.fault()) {
          case KILL -> workers.kill(step.target());
          case STOP -> workers.stop(step.target(), STOP_MILLIS);
          case BROKER -> {
            cluster.restartBroker(step.target());
            yield "kafka-" + (step.target() % options.brokers() + 1);
          }
          case REGISTRY -> {
            cluster.stopRegistry();
            Thread.sleep(OUTAGE_MILLIS);
            cluster.resumeRegistry();
            yield "registry";
          }
          case DISK -> {
            disk.fill();
            Thread.sleep(OUTAGE_MILLIS);
            disk.free();
            yield disk.directory().toString();
          }
          case STORM -> {
            for (int i = 0; i < STORM_VISITS; i++) {
              workers.visit("visitor-" + step.target() + "-" + i, 1_500);
            }
            yield STORM_VISITS + " visitors";
          }
        };
    faults.add(new Done(step.fault(), target, at, 0));
    log.printf("%7.1f s  %-8s %s%n", at, step.fault(), target);
  }

  private ChaosReport report(Audit audit, ChaosWorkers workers) {
    Map<String, List<Audit.Seen>> results = audit.results();
    List<String> lost = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    List<String> poison = new ArrayList<>();
    int duplicates = results.values().stream().mapToInt(r -> r.size() - 1).sum();
    for (int i = 0; i < options.jobs(); i++) {
      expect(Load.id(i), "COMPLETED", results, lost, wrong);
    }
    for (int i = 0; i < options.poison(); i++) {
      poison.add(Load.poisonId(i));
      expect(Load.poisonId(i), "FAILED ATTEMPTS_EXHAUSTED", results, lost, wrong);
    }
    List<Done> measured =
        faults.stream()
            .map(f -> new Done(f.fault(), f.target(), f.at(), stall(f.at(), audit.arrivals())))
            .toList();
    double seconds = (audit.lastArrival() - started) / 1e9;
    return new ChaosReport(
        options,
        options.submitted(),
        results.size(),
        duplicates,
        lost,
        wrong,
        audit.letters(),
        poison,
        audit.undecodable(),
        audit.laterAttempts(),
        workers.restarts(),
        seconds,
        measured);
  }

  private static void expect(
      String id,
      String status,
      Map<String, List<Audit.Seen>> results,
      List<String> lost,
      List<String> wrong) {
    List<Audit.Seen> seen = results.get(id);
    if (seen == null) {
      lost.add(id);
    } else if (!seen.get(0).status().equals(status)) {
      wrong.add(id + ": " + seen.get(0).status() + " by " + seen.get(0).worker());
    }
  }

  /** The longest time without a result in the stretch after a fault, in seconds. */
  private double stall(double at, List<Long> arrivals) {
    double last = at;
    double longest = 0;
    for (long nanos : arrivals) {
      double seconds = (nanos - started) / 1e9;
      if (seconds <= at) {
        continue;
      }
      if (last > at + STALL_WINDOW_SECONDS) {
        break;
      }
      longest = Math.max(longest, seconds - last);
      last = seconds;
    }
    return longest;
  }

  /** Where the run keeps its logs and data. */
  Path data() {
    return options.data();
  }
}
