package dev.amanuensis.chaos;

import dev.amanuensis.chaos.ChaosReport.Done;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/** One run: the fleet starts, jobs go in, faults happen, and what came out is counted. */
final class ChaosRun {
  /** Share of the jobs that waits in Kafka when a fault happens. */
  private static final double BACKLOG = 0.15;

  /** Where the end is near: less will do, but none would end the run before the next fault. */
  private static final double LEAST_BACKLOG = 0.04;

  /** Share of the jobs that is kept for each fault after the next. */
  private static final double HELD_BACK = 0.005;

  private static final long SETTLE_NANOS = 15_000_000_000L;

  private final ChaosOptions options;
  private final PrintStream log;
  private final Sounds sounds;
  private final List<Done> faults = new ArrayList<>();
  private long started;

  /**
   * @param log one line for each fault
   * @throws IOException if a file of speech can't be read
   */
  ChaosRun(ChaosOptions options, PrintStream log) throws IOException {
    this.options = options;
    this.log = log;
    this.sounds = new Sounds(options.speech(), options.speechJobs());
  }

  /**
   * @throws IOException if the harness itself fails, which says nothing about the fleet
   */
  ChaosReport run() throws IOException, InterruptedException {
    Files.createDirectories(options.data());
    try (ChaosCluster cluster = new ChaosCluster(options.data(), options.brokers());
        Storage storage = new Storage(key -> Load.object(key, sounds));
        SmallDisk disk = SmallDisk.create(options.data().resolve("spill"), log)) {
      cluster.start();
      try (ChaosWorkers workers =
              new ChaosWorkers(options.data(), settings(cluster, disk, storage));
          Audit audit = new Audit(cluster);
          Stalls stalls = new Stalls(() -> processes(cluster, workers), options.seed())) {
        if (options.stalls()) {
          stalls.start();
        }
        workers.start(options.workers());
        if (speech()) {
          workers.start("speech-1", speechSettings());
        }
        started = System.nanoTime();
        Load load = new Load(options, cluster, sounds);
        AtomicReference<Exception> failed = new AtomicReference<>();
        Thread loader = new Thread(() -> submit(load, failed), "load");
        loader.start();
        try {
          if (!go(
              new ChaosFaults(cluster, workers, disk, storage, stalls.quiet()),
              load,
              audit,
              failed)) {
            workers.explain(log);
            cluster.explain(log);
          }
        } finally {
          load.open(1);
          loader.join();
        }
        stalls.close();
        List<String> unfinished = settle(cluster, audit);
        return report(load, audit, workers, storage, unfinished);
      }
    }
  }

  private static List<Process> processes(ChaosCluster cluster, ChaosWorkers workers) {
    List<Process> all = new ArrayList<>(cluster.processes());
    all.addAll(workers.processes());
    return all;
  }

  private boolean speech() {
    return sounds.isSpeech(0);
  }

  private static void submit(Load load, AtomicReference<Exception> failed) {
    try {
      load.submit();
    } catch (IOException | RuntimeException | InterruptedException e) {
      failed.set(e);
    }
  }

  private Map<String, String> settings(ChaosCluster cluster, SmallDisk disk, Storage storage) {
    Map<String, String> s = new HashMap<>();
    s.put("bootstrap.servers", cluster.bootstrapServers());
    s.put("schema.registry.url", cluster.registryUrl());
    s.put("group.id", ChaosCluster.GROUP);
    s.put("admin.port", "off");
    s.put("source.spill.dir", disk.directory().toString());
    s.put("max.retries", "8"); // an outage lasts longer than the first tries
    s.putAll(storage.settings());
    s.putAll(options.settings());
    return s;
  }

  /** Whisper itself, in a lane and a group of its own. */
  private static Map<String, String> speechSettings() {
    return Map.of(
        "device",
        "cpu",
        "group.id",
        ChaosCluster.SPEECH_GROUP,
        "jobs.topics",
        ChaosCluster.SPEECH_TOPIC,
        // What is in work when it is killed is done again one by one, and each takes its time.
        "pipeline.max.jobs",
        "4");
  }

  /** False if the fleet stands still. */
  private boolean go(ChaosFaults does, Load load, Audit audit, AtomicReference<Exception> failed)
      throws IOException, InterruptedException {
    Deque<ChaosPlan.Step> steps =
        ChaosPlan.of(options).steps().stream()
            .filter(s -> does.possible(s.fault()))
            .collect(Collectors.toCollection(ArrayDeque::new));
    long patience = options.patience().toNanos();
    while (audit.answered() < options.submitted()) {
      load.open(open(steps));
      if (failed.get() != null) {
        throw new IOException("the jobs could not be submitted: " + failed.get(), failed.get());
      }
      if (audit.failure() != null) {
        throw new IOException("the results could not be read: " + audit.failure());
      }
      double share = (double) audit.answered() / options.submitted();
      if (!steps.isEmpty() && share >= steps.peek().at()) {
        double at = (System.nanoTime() - started) / 1e9;
        ChaosPlan.Step next = steps.remove();
        Done done = new Done(next.fault(), does.perform(next), at);
        faults.add(done);
        log.printf("%7.1f s  %4.1f %%  %-8s %s%n", at, 100 * share, done.fault(), done.target());
        continue;
      }
      if (System.nanoTime() - Math.max(started, audit.lastArrival()) > patience) {
        log.printf("no result for %d s: giving up%n", options.patience().toSeconds());
        return false;
      }
      Thread.sleep(20);
    }
    for (ChaosPlan.Step step : steps) {
      log.printf("not reached: %s%n", step);
      faults.add(new Done(step.fault(), "not reached", Double.NaN));
    }
    return true;
  }

  /**
   * Share of the jobs that may go in before these faults: faults take their time, and each of them
   * is to find work.
   */
  static double open(Collection<ChaosPlan.Step> steps) {
    if (steps.isEmpty()) {
      return 1;
    }
    double next = steps.iterator().next().at();
    double most = 1 - HELD_BACK * (steps.size() - 1);
    return Math.max(next + LEAST_BACKLOG, Math.min(next + BACKLOG, most));
  }

  /** What is published twice shows meanwhile; returns where the progress did not settle. */
  private List<String> settle(ChaosCluster cluster, Audit audit)
      throws IOException, InterruptedException {
    long until = System.nanoTime() + SETTLE_NANOS;
    Thread.sleep(3_000);
    while (true) {
      List<String> unfinished = cluster.unfinished(speech());
      boolean all = unfinished.isEmpty() && audit.undecodable() >= options.undecodable();
      if (all || System.nanoTime() - until > 0) {
        return unfinished;
      }
      Thread.sleep(500);
    }
  }

  private ChaosReport report(
      Load load, Audit audit, ChaosWorkers workers, Storage storage, List<String> unfinished)
      throws IOException {
    Map<String, List<Audit.Seen>> results = audit.results();
    Expectations expected = new Expectations(options, sounds);
    expected.check(results);
    List<Timeline.Arrival> arrivals = new ArrayList<>();
    for (Audit.Arrival a : audit.arrivals()) {
      Integer partition = load.partition(a.jobId());
      if (partition != null && !expected.isSpeech(a.jobId())) {
        arrivals.add(new Timeline.Arrival((a.nanos() - started) / 1e9, partition));
      }
    }
    return new ChaosReport(
        options,
        results.size(),
        results.values().stream().mapToInt(r -> r.size() - 1).sum(),
        expected.lost(),
        expected.wrong(),
        audit.letters(),
        expected.poison(),
        audit.undecodable(),
        unfinished,
        audit.laterAttempts(),
        workers.suspects(),
        storage.disturbed(),
        workers.restarts(),
        arrivals.isEmpty() ? Double.NaN : (audit.lastArrival() - started) / 1e9,
        faults,
        new Timeline(arrivals));
  }
}
