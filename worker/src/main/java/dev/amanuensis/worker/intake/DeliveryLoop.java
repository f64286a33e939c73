package dev.amanuensis.worker.intake;

import java.time.Duration;

/** Brings jobs from Kafka to a sink, and their results back, on a thread of its own. */
public interface DeliveryLoop extends AutoCloseable {
  void start();

  /** Whether the group was joined and the loop runs. */
  boolean ready();

  /** What ended the loop, or null. */
  Throwable failure();

  /** What Kafka refuses or lacks now, so that something waits, or null. */
  String refusal();

  /** Stops taking jobs, gives those in flight some time, publishes what is finished and leaves. */
  void close(Duration grace);

  @Override
  default void close() {
    close(Duration.ofSeconds(30));
  }
}
