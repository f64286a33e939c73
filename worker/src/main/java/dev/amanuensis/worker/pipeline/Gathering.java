package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.Job;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * Lets a small batch wait for company while every core encodes. A step reads all weights whatever
 * the batch: on two AVX2 cores a row costs 7 core-ms alone, 3 in a batch of four and hardly less in
 * one of sixteen (docs/speed.md). Nobody waits where a core is free, where a job is urgent or has a
 * deadline, or longer than {@link #MOST_NANOS} in all. Belongs to one thread.
 */
final class Gathering {
  private static final int ENOUGH_ROWS = 4;
  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final IntSupplier encoding;
  private final int cores;

  /**
   * @param encoding windows that are being encoded or wait to be
   * @param cores that encode and decode; Integer.MAX_VALUE if a device does the encoding
   */
  Gathering(IntSupplier encoding, int cores) {
    this.encoding = encoding;
    this.cores = cores;
  }

  /** Whether these windows, all that are live, should not make a step yet. */
  boolean waits(Batch live) {
    for (LiveWindow window : live.windows()) {
      Job job = window.task.run.job;
      if (window.heldNanos >= MOST_NANOS || job.priority() > 0 || job.deadline() != null) {
        return false;
      }
    }
    return !live.isEmpty() && live.held() < ENOUGH_ROWS && encoding.getAsInt() >= cores;
  }
}
