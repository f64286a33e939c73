package dev.amanuensis.chaos;

import java.io.IOException;
import java.util.concurrent.locks.Lock;

/** Does what a plan says. Each call returns when the fault is over; one thread uses it. */
final class ChaosFaults {
  private static final long OUTAGE_MILLIS = 4_000;
  private static final long STOP_MILLIS = ChaosCluster.SESSION_MILLIS + 3_000L;
  private static final long HANG_MILLIS = ChaosCluster.SESSION_MILLIS + 3_000L;

  /** A broker's session is 4 s: it loses its partitions meanwhile. */
  private static final long FREEZE_MILLIS = 6_000;

  private static final int VISITS = 5;
  private static final long VISIT_MILLIS = 1_500;

  private final ChaosCluster cluster;
  private final ChaosWorkers workers;
  private final SmallDisk disk;
  private final Storage storage;
  private final Lock quiet;

  /**
   * @param quiet held during a fault, which is to be what it is called and nothing more
   */
  ChaosFaults(
      ChaosCluster cluster, ChaosWorkers workers, SmallDisk disk, Storage storage, Lock quiet) {
    this.cluster = cluster;
    this.workers = workers;
    this.disk = disk;
    this.storage = storage;
    this.quiet = quiet;
  }

  /** Whether this machine lets us do it. */
  boolean possible(Fault fault) {
    return fault != Fault.DISK || disk.mounted();
  }

  /** What it was done to. */
  String perform(ChaosPlan.Step step) throws IOException, InterruptedException {
    quiet.lockInterruptibly();
    try {
      return does(step);
    } finally {
      quiet.unlock();
    }
  }

  private String does(ChaosPlan.Step step) throws IOException, InterruptedException {
    return switch (step.fault()) {
      case KILL -> workers.kill(step.target());
      case STOP -> workers.stop(step.target(), STOP_MILLIS);
      case BROKER -> cluster.restartBroker(step.target());
      case FREEZE -> cluster.freezeBroker(step.target(), FREEZE_MILLIS);
      case REGISTRY -> {
        cluster.stopRegistry();
        // Those that run know the schemas they need: one has to ask.
        String starts = workers.kill(step.target());
        Thread.sleep(OUTAGE_MILLIS);
        cluster.resumeRegistry();
        yield "registry, while " + starts + " started";
      }
      case DISK -> {
        disk.fill();
        Thread.sleep(OUTAGE_MILLIS);
        disk.free();
        yield disk.directory().toString();
      }
      case FETCH -> {
        storage.slow(true);
        Thread.sleep(OUTAGE_MILLIS);
        storage.slow(false);
        yield "storage";
      }
      case HANG -> workers.hang(step.target(), HANG_MILLIS);
      case STORM -> {
        for (int i = 0; i < VISITS; i++) {
          workers.visit("visitor-" + step.target() + "-" + i, VISIT_MILLIS);
        }
        yield VISITS + " visitors";
      }
    };
  }
}
