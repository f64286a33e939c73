package dev.amanuensis.worker.publish;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes finished records together with the progress of their partitions, all or nothing
 * (KIP-98, KIP-447). A transaction is opened only when everything to send is there, so it lives for
 * milliseconds. Belongs to the loop thread.
 */
public final class TransactionalPublisher implements AutoCloseable {
  /** What became of a transaction. */
  public enum Outcome {
    COMMITTED,
    /** Nothing of it is visible; it may be tried again. */
    ABORTED,
    /** Unknown: read the committed progress again, and send what it lacks. */
    UNKNOWN
  }

  private static final Logger LOG = LoggerFactory.getLogger(TransactionalPublisher.class);
  private static final int COMMIT_TRIES = 5;

  private final Map<String, Object> config;
  private Producer<byte[], byte[]> producer;

  /**
   * @param config of a transactional producer of byte arrays
   */
  public TransactionalPublisher(Map<String, Object> config) {
    this.config = Map.copyOf(config);
  }

  /** Sends all outputs and commits the offsets in one transaction. */
  public Outcome publish(
      List<Finished> batch,
      Map<TopicPartition, OffsetAndMetadata> offsets,
      ConsumerGroupMetadata group) {
    boolean committing = false;
    try {
      Producer<byte[], byte[]> p = producer();
      p.beginTransaction();
      batch.forEach(f -> p.send(f.output()));
      p.sendOffsetsToTransaction(offsets, group);
      committing = true;
      commit(p);
      return Outcome.COMMITTED;
    } catch (KafkaException | IllegalStateException e) {
      LOG.warn("transaction of {} results failed: {}", batch.size(), e.toString());
      return committing ? lost() : abort();
    }
  }

  /** A commit that times out is asked again: it may have happened. */
  private static void commit(Producer<byte[], byte[]> p) {
    for (int i = 1; ; i++) {
      try {
        p.commitTransaction();
        return;
      } catch (TimeoutException e) {
        if (i == COMMIT_TRIES) {
          throw e;
        }
      }
    }
  }

  private Outcome abort() {
    try {
      if (producer != null) {
        producer.abortTransaction();
      }
      return Outcome.ABORTED;
    } catch (KafkaException | IllegalStateException e) {
      return lost();
    }
  }

  private Outcome lost() {
    close();
    return Outcome.UNKNOWN;
  }

  /**
   * initTransactions completes or aborts what a predecessor with our id left open, and fences it.
   */
  private Producer<byte[], byte[]> producer() {
    if (producer == null) {
      Producer<byte[], byte[]> fresh = new KafkaProducer<>(config);
      try {
        fresh.initTransactions();
      } catch (RuntimeException e) {
        fresh.close(Duration.ZERO);
        throw e instanceof RetriableException ? new TimeoutException(e.getMessage(), e) : e;
      }
      producer = fresh;
    }
    return producer;
  }

  @Override
  public void close() {
    if (producer != null) {
      producer.close(Duration.ofSeconds(5));
      producer = null;
    }
  }
}
