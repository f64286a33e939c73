package dev.amanuensis.chaos;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Processes that stand still for a moment, one after the other, as on a busy host or in a paused
 * machine: shorter than any session, so nobody is missed, but everything comes in another order.
 */
final class Stalls implements AutoCloseable {
  private static final int LONGEST_MILLIS = 2_000;
  private static final int LONGEST_PAUSE_MILLIS = 1_500;

  private final Supplier<List<Process>> processes;
  private final Random random;
  private final Lock quiet = new ReentrantLock();
  private final Thread thread = new Thread(this::run, "stalls");
  private volatile boolean closed;

  /**
   * @param processes that may stall; asked for under {@link #quiet}
   */
  Stalls(Supplier<List<Process>> processes, long seed) {
    this.processes = processes;
    this.random = new Random(seed);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Whoever holds it keeps all processes going. */
  Lock quiet() {
    return quiet;
  }

  private void run() {
    try {
      while (!closed) {
        quiet.lockInterruptibly();
        try {
          stall();
        } finally {
          quiet.unlock();
        }
        Thread.sleep(random.nextInt(LONGEST_PAUSE_MILLIS));
      }
    } catch (InterruptedException | IOException e) {
      // the harness ends
    }
  }

  private void stall() throws IOException, InterruptedException {
    List<Process> all = processes.get().stream().filter(Process::isAlive).toList();
    if (all.isEmpty()) {
      return;
    }
    long pid = all.get(random.nextInt(all.size())).pid();
    // Most are short.
    double part = random.nextDouble();
    try {
      Child.signal(pid, "STOP");
      Thread.sleep((long) (LONGEST_MILLIS * part * part));
    } finally {
      Child.signal(pid, "CONT");
    }
  }

  /** All go on when this returns. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
