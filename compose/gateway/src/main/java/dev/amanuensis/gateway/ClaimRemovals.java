package dev.amanuensis.gateway;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes audio out of a claim store when its job is done, or its time is over, on a thread of its
 * own: no answer waits for the store. Thread-safe.
 */
final class ClaimRemovals implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClaimRemovals.class);
  private static final Duration SWEEP = Duration.ofMinutes(10);
  private static final long CLOSE_SECONDS = 5;

  /** More than these are left to the sweep: the store is slow or gone. */
  private static final int MAX_PENDING = 10_000;

  private final ClaimStore claims;
  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread t = new Thread(task, "gateway-claims");
            t.setDaemon(true);
            return t;
          });

  /**
   * Sweeps now and every ten minutes.
   *
   * @param ttl after which audio is removed whatever became of its job
   */
  ClaimRemovals(ClaimStore claims, Duration ttl) {
    this.claims = claims;
    thread.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
    thread.scheduleWithFixedDelay(() -> sweep(ttl), 0, SWEEP.toSeconds(), TimeUnit.SECONDS);
  }

  private void sweep(Duration ttl) {
    try {
      claims.sweep(Instant.now().minus(ttl));
    } catch (RuntimeException e) {
      LOG.error("sweeping the claim store", e); // and the next time it is tried again
    }
  }

  /** Returns at once. */
  void remove(String jobId) {
    if (thread.isShutdown() || thread.getQueue().size() >= MAX_PENDING) {
      return;
    }
    thread.execute(
        () -> {
          try {
            claims.remove(jobId);
          } catch (RuntimeException e) {
            LOG.error("the audio of job {} stays until it is swept", jobId, e);
          }
        });
  }

  /** Removes what is due, but does not wait long for a store that hangs. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      thread.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
