package dev.amanuensis.gateway;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads that write answers. A write blocks while a client does not read, until the connection's
 * idle time is over: never on a thread that others depend on. Thread-safe.
 */
final class AnswerPool implements Executor, AutoCloseable {
  /** Clients that may stall at once before they delay others. */
  private static final int THREADS = 64;

  private static final long KEEP_SECONDS = 30;
  private static final long LOOK_MILLIS = 5;

  private final AtomicInteger pending = new AtomicInteger();
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          KEEP_SECONDS,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(),
          task -> {
            Thread thread = new Thread(task, "gateway-answer");
            thread.setDaemon(true);
            return thread;
          });

  AnswerPool() {
    threads.allowCoreThreadTimeOut(true);
  }

  @Override
  public void execute(Runnable write) {
    pending.incrementAndGet();
    try {
      threads.execute(
          () -> {
            try {
              write.run();
            } finally {
              pending.decrementAndGet();
            }
          });
    } catch (RuntimeException e) {
      pending.decrementAndGet();
      throw e;
    }
  }

  /** Waits until all is written that was to be, but not for ever. */
  void awaitIdle(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    try {
      while (pending.get() > 0 && System.nanoTime() < deadline) {
        Thread.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
