package dev.amanuensis.worker.pipeline;

import java.time.Instant;
import java.util.Comparator;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Work waiting for a stage, ordered by priority, then deadline, then arrival of the job. Holds at
 * most one entry per job in flight, so admission bounds it.
 */
final class StageQueue<T> {
  private final PriorityBlockingQueue<T> queue;

  StageQueue(Function<T, JobRun> run) {
    Comparator<JobRun> order =
        Comparator.comparingInt((JobRun r) -> -r.job.priority())
            .thenComparing(r -> r.job.deadline() == null ? Instant.MAX : r.job.deadline())
            .thenComparingLong(r -> r.sequence);
    this.queue = new PriorityBlockingQueue<>(16, Comparator.comparing(run, order));
  }

  void put(T item) {
    queue.put(item);
  }

  T take() throws InterruptedException {
    return queue.take();
  }

  /** Null if there is nothing within the time. */
  T poll(long millis) throws InterruptedException {
    return millis == 0 ? queue.poll() : queue.poll(millis, TimeUnit.MILLISECONDS);
  }

  T peek() {
    return queue.peek();
  }

  int size() {
    return queue.size();
  }
}
