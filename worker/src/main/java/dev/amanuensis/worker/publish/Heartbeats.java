package dev.amanuensis.worker.publish;

import dev.amanuensis.schema.Heartbeat;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.serialization.Serializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says every few seconds how this worker is, on a topic of its own and with a producer of its own,
 * so that nothing that goes wrong here touches a job. Best effort: a beat that can't be sent is
 * forgotten.
 */
public final class Heartbeats implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeats.class);
  private static final Duration CLOSE = Duration.ofSeconds(2);

  private final Map<String, Object> config;
  private final String topic;
  private final long periodMillis;
  private final Supplier<Heartbeat> source;
  private final Serializer<Heartbeat> serializer;
  private final Thread thread = new Thread(this::run, "heartbeat");
  private boolean failing;

  /**
   * @param config of a producer of byte arrays
   * @param registry configuration of the serializer
   * @param source asked on the thread of the heartbeats
   */
  public Heartbeats(
      Map<String, Object> config,
      Map<String, Object> registry,
      String topic,
      Duration period,
      Supplier<Heartbeat> source) {
    this.config = Map.copyOf(config);
    this.topic = topic;
    this.periodMillis = period.toMillis();
    this.source = source;
    this.serializer = AvroSerdes.serializer(registry);
    thread.setDaemon(true);
  }

  public void start() {
    thread.start();
  }

  private void run() {
    try (Producer<byte[], byte[]> producer = new KafkaProducer<>(config)) {
      try {
        while (true) {
          beat(producer);
          Thread.sleep(periodMillis);
        }
      } catch (InterruptedException e) {
        beat(producer); // the last one says that the worker ends
        producer.close(CLOSE);
      }
    } catch (RuntimeException e) {
      LOG.warn("no heartbeats: {}", e.toString());
    } finally {
      serializer.close();
    }
  }

  private void beat(Producer<byte[], byte[]> producer) {
    try {
      Heartbeat beat = source.get();
      byte[] key = beat.getWorker().getBytes(StandardCharsets.UTF_8);
      producer.send(
          new ProducerRecord<>(topic, key, serializer.serialize(topic, beat)),
          (metadata, e) -> sent(e));
    } catch (RuntimeException e) {
      sent(e);
    }
  }

  /** Told once for a row of failures. */
  private synchronized void sent(Exception e) {
    if (e != null && !failing) {
      LOG.warn("heartbeats do not reach {}: {}", topic, Refusal.explain(e, AclOperation.WRITE));
    }
    failing = e != null;
  }

  /** Sends a last one and ends. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(2 * CLOSE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
