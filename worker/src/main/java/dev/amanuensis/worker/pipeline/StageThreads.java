package dev.amanuensis.worker.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of one stage. A thread whose body ends by a throwable is started again, with new
 * state: after an Error nobody knows what the old one is worth.
 */
final class StageThreads implements AutoCloseable {
  /** The endless work of one thread; returns when it is interrupted. */
  interface Body {
    void run() throws InterruptedException;
  }

  private static final Logger LOG = LoggerFactory.getLogger(StageThreads.class);

  /** So that a body that fails at once does not take a core and fill the log. */
  private static final long FIRST_PAUSE_MILLIS = 20;

  private static final long LONGEST_PAUSE_MILLIS = 5_000;

  /** After so long without a failure the next pause is short again. */
  private static final long CALM_NANOS = 10_000_000_000L;

  private static final long JOIN_MILLIS = 100;

  private final List<Thread> threads = new ArrayList<>();
  private final Consumer<Throwable> onRestart;
  private volatile boolean closing;

  StageThreads(String name, int count, Body body, Consumer<Throwable> onRestart) {
    this.onRestart = onRestart;
    for (int i = 0; i < count; i++) {
      Thread thread = new Thread(() -> supervise(body), name + "-" + i);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  int count() {
    return threads.size();
  }

  private void supervise(Body body) {
    long pause = FIRST_PAUSE_MILLIS;
    while (!closing) {
      long started = System.nanoTime();
      try {
        body.run();
      } catch (InterruptedException e) {
        // Either we are closing, or it came too late for the job it was meant for.
      } catch (Throwable e) {
        LOG.error("stage thread {} failed and starts again", Thread.currentThread().getName(), e);
        onRestart.accept(e);
        boolean calm = System.nanoTime() - started > CALM_NANOS;
        pause = calm ? FIRST_PAUSE_MILLIS : Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        sleep(pause);
      }
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      // the loop looks whether it is to end
    }
  }

  @Override
  public void close() {
    closing = true;
    threads.forEach(Thread::interrupt);
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          // Again and again: one may be taken for the interrupt of a job that has ended.
          thread.interrupt();
          thread.join(JOIN_MILLIS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
