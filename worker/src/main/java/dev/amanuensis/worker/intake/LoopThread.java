package dev.amanuensis.worker.intake;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread of a delivery loop, with its state as others see it. What the loop opened is
 * closed on this thread when it ends, or by {@link #close} if it was never started.
 */
final class LoopThread {
  private static final Logger LOG = LoggerFactory.getLogger(LoopThread.class);

  /** What the thread does. */
  interface Work {
    /** Until {@link #stopping}; what is thrown is the loop's failure. */
    void run() throws Exception;

    /** Closes what was opened; called once. */
    void closeAll();
  }

  private final Thread thread;
  private final Work work;
  private volatile boolean joined;
  private volatile boolean stopping;
  private volatile long stopBy;
  private volatile Throwable failure;

  LoopThread(String name, Work work) {
    this.work = work;
    this.thread = new Thread(this::run, name);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      work.run();
    } catch (Throwable e) {
      failure = e;
      LOG.error("the {} ended: no more jobs are taken", thread.getName(), e);
    } finally {
      joined = false;
      work.closeAll();
    }
  }

  /** The group was joined: called by the work. */
  void joined() {
    joined = true;
  }

  boolean ready() {
    return joined && thread.isAlive();
  }

  boolean stopping() {
    return stopping;
  }

  /** Whether the grace period of a loop that is stopping has time left. */
  boolean inGrace() {
    return System.nanoTime() - stopBy < 0;
  }

  Throwable failure() {
    return failure;
  }

  /** Waits for the end of the work; an interrupt ends the grace period, not the wait. */
  void close(Duration grace) {
    stopBy = System.nanoTime() + grace.toNanos();
    stopping = true;
    if (thread.getState() == Thread.State.NEW) {
      work.closeAll();
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
        stopBy = System.nanoTime();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Closes one thing whatever another's closing throws; null is nothing. */
  static void quietly(AutoCloseable closeable) {
    try {
      if (closeable != null) {
        closeable.close();
      }
    } catch (Exception e) {
      LOG.warn("closing a delivery loop: {}", e.toString());
    }
  }
}
