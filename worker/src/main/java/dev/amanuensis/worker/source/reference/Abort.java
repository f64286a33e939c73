package dev.amanuensis.worker.source.reference;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends transfers that are late or whose job was cancelled: a blocking read of a socket notices
 * neither. Thread-safe.
 */
final class Abort implements AutoCloseable {
  private static final int WATCH_MILLIS = 50;

  private final ScheduledExecutorService watchdog =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "fetch-watchdog");
            thread.setDaemon(true);
            return thread;
          });

  /** A transfer under watch, until it is closed. */
  final class Watch implements AutoCloseable {
    private final AtomicBoolean late = new AtomicBoolean();
    private final ScheduledFuture<?> future;

    private Watch(Runnable end, long deadline, Thread owner) {
      future =
          watchdog.scheduleAtFixedRate(
              () -> {
                boolean over = System.nanoTime() - deadline > 0;
                if (over || owner.isInterrupted()) {
                  late.compareAndSet(false, over);
                  end.run();
                }
              },
              WATCH_MILLIS,
              WATCH_MILLIS,
              TimeUnit.MILLISECONDS);
    }

    /** Whether it was ended for being late. */
    boolean late() {
      return late.get();
    }

    @Override
    public void close() {
      future.cancel(false);
    }
  }

  /**
   * @param end ends the calling thread's transfer; may be called more than once
   */
  Watch watch(Duration timeout, Runnable end) {
    return new Watch(end, System.nanoTime() + timeout.toNanos(), Thread.currentThread());
  }

  @Override
  public void close() {
    watchdog.shutdownNow();
  }
}
