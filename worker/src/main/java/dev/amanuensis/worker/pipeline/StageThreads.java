package dev.amanuensis.worker.pipeline;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The threads of one stage. A thread whose body ends by a throwable is started again. */
final class StageThreads implements AutoCloseable {
  /** The endless work of one thread; returns when it is interrupted. */
  interface Body {
    void run() throws InterruptedException;
  }

  private static final Logger LOG = LoggerFactory.getLogger(StageThreads.class);
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean closing;

  StageThreads(String name, int count, Body body) {
    for (int i = 0; i < count; i++) {
      Thread thread = new Thread(() -> supervise(body), name + "-" + i);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  private void supervise(Body body) {
    while (!closing) {
      try {
        body.run();
      } catch (InterruptedException e) {
        // Either we are closing, or it came too late for the job it was meant for.
      } catch (Throwable e) {
        LOG.error("stage thread {} failed and starts again", Thread.currentThread().getName(), e);
      }
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
          thread.join();
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
