package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.metrics.Meters;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * What the loop knows of Kafka, as meters: it asks the consumer, which belongs to the loop thread,
 * every second, and a scrape reads what it noted. No requests to the broker.
 */
final class KafkaMeters implements AutoCloseable {
  private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Of one partition, as noted last. */
  private static final class Figures {
    volatile long lag;
    volatile long backlog;
  }

  private final WorkerMetrics metrics;
  private final Consumer<?, ?> consumer;
  private final Assignment assignment;
  private final Intake intake;
  private final Map<TopicPartition, Figures> partitions = new HashMap<>();
  private final KafkaClientMetrics client;
  private long nextAt = System.nanoTime();
  private volatile int held;
  private volatile boolean paused;
  private volatile long bytes;

  KafkaMeters(
      WorkerMetrics metrics, Consumer<?, ?> consumer, Assignment assignment, Intake intake) {
    this.metrics = metrics;
    this.consumer = consumer;
    this.assignment = assignment;
    this.intake = intake;
    metrics.observe(Meters.KAFKA_PARTITIONS, () -> held);
    metrics.observe(Meters.KAFKA_PAUSED, () -> paused ? 1 : 0);
    metrics.observe(Meters.INTAKE_BYTES, () -> bytes);
    if (metrics.watched()) {
      client = new KafkaClientMetrics(consumer);
      client.bindTo(metrics.registry());
    } else {
      client = null;
    }
  }

  /** Called in every turn of the loop. */
  void turn() {
    long now = System.nanoTime();
    if (now - nextAt < 0) {
      return;
    }
    nextAt = now + PERIOD_NANOS;
    Set<TopicPartition> assigned = consumer.assignment();
    Set<TopicPartition> gone = new HashSet<>(partitions.keySet());
    gone.removeAll(assigned);
    gone.forEach(this::forget);
    assigned.forEach(this::note);
    held = assigned.size();
    paused = !assigned.isEmpty() && consumer.paused().containsAll(assigned);
    bytes = intake.bytes();
  }

  private void note(TopicPartition partition) {
    Assignment.Held own = assignment.get(partition);
    OptionalLong behind = own == null ? OptionalLong.empty() : consumer.currentLag(partition);
    if (behind.isEmpty()) { // not read from yet
      return;
    }
    PartitionProgress progress = own.progress();
    Figures f = partitions.computeIfAbsent(partition, this::register);
    f.lag = progress.end() + behind.getAsLong() - progress.base();
    f.backlog = Math.max(0, f.lag - progress.doneBeyondBase());
  }

  private Figures register(TopicPartition p) {
    Figures f = new Figures();
    metrics.observe(Meters.KAFKA_LAG, () -> f.lag, labels(p));
    metrics.observe(Meters.KAFKA_BACKLOG, () -> f.backlog, labels(p));
    return f;
  }

  private void forget(TopicPartition p) {
    partitions.remove(p);
    metrics.forget(Meters.KAFKA_LAG, labels(p));
    metrics.forget(Meters.KAFKA_BACKLOG, labels(p));
  }

  private static String[] labels(TopicPartition p) {
    return new String[] {"topic", p.topic(), "partition", Integer.toString(p.partition())};
  }

  @Override
  public void close() {
    Set.copyOf(partitions.keySet()).forEach(this::forget);
    held = 0;
    if (client != null) {
      client.close();
    }
  }
}
