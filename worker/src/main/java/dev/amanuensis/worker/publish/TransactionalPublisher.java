package dev.amanuensis.worker.publish;

import dev.amanuensis.worker.metrics.WorkerMetrics;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
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
    /** Unknown: {@link #settle}, read the committed progress again, and send what it lacks. */
    UNKNOWN
  }

  /**
   * @param tooLarge which of the outputs the client or the broker refuses for their size; they
   *     spoil every transaction they are part of
   * @param refused topics that did not take what was sent to them while others did, and why
   */
  public record Result(Outcome outcome, Set<Integer> tooLarge, Map<String, String> refused) {
    private Result(Outcome outcome) {
      this(outcome, Set.of(), Map.of());
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(TransactionalPublisher.class);
  private static final int COMMIT_TRIES = 5;

  private final Map<String, Object> config;
  private final Function<Map<String, Object>, Producer<byte[], byte[]>> clients;
  private final WorkerMetrics metrics;
  private Producer<byte[], byte[]> producer;
  private KafkaClientMetrics meters;
  private String refusal;

  /**
   * @param config of a transactional producer of byte arrays
   */
  public TransactionalPublisher(Map<String, Object> config, WorkerMetrics metrics) {
    this(config, KafkaProducer::new, metrics);
  }

  /**
   * As the other constructor.
   *
   * @param clients makes each producer: a fault harness's way in
   */
  public TransactionalPublisher(
      Map<String, Object> config,
      Function<Map<String, Object>, Producer<byte[], byte[]>> clients,
      WorkerMetrics metrics) {
    this.config = Map.copyOf(config);
    this.clients = clients;
    this.metrics = metrics;
  }

  /** Sends all outputs and commits the offsets in one transaction. */
  public Result publish(
      List<ProducerRecord<byte[], byte[]>> outputs,
      Map<TopicPartition, OffsetAndMetadata> offsets,
      ConsumerGroupMetadata group) {
    List<Future<RecordMetadata>> sent = new ArrayList<>(outputs.size());
    try {
      Producer<byte[], byte[]> p = producer();
      p.beginTransaction();
      sendAll(p, outputs, sent);
      p.flush();
      FailedSends failed = FailedSends.of(outputs, sent);
      if (failed.any()) {
        LOG.warn("{} of {} results can't be sent: {}", failed.count(), outputs.size(), failed);
        return new Result(abort(), failed.tooLarge(), failed.refused());
      }
      p.sendOffsetsToTransaction(offsets, group);
      commit(p);
      refusal = null;
      return new Result(Outcome.COMMITTED);
    } catch (KafkaException | IllegalStateException e) {
      LOG.warn("transaction of {} results failed: {}", outputs.size(), explain(e));
      if (e instanceof ProducerFencedException || e.getCause() instanceof ProducerFencedException) {
        LOG.warn(
            "if that comes again, another worker has the same worker.id (here {}): each needs its own",
            config.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG));
      }
      // Where it is not certain that nothing is visible, the client refuses to abort.
      Outcome outcome = abort();
      FailedSends failed = FailedSends.of(outputs, sent);
      return new Result(outcome, failed.tooLarge(), failed.refused());
    }
  }

  /** Ends at the first that fails at once: the client may wait long for each that follows it. */
  private static void sendAll(
      Producer<byte[], byte[]> p,
      List<ProducerRecord<byte[], byte[]>> outputs,
      List<Future<RecordMetadata>> sent) {
    for (ProducerRecord<byte[], byte[]> output : outputs) {
      sent.add(p.send(output));
      if (FailedSends.cause(sent.get(sent.size() - 1)) != null) {
        return;
      }
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
   * Ends a transaction of unknown outcome: what it committed is readable after this, what it did
   * not commit never will be. False if that has to be tried again. Before the first transaction:
   * gets ready for it.
   */
  public boolean settle() {
    try {
      producer();
      refusal = null;
      return true;
    } catch (KafkaException | IllegalStateException e) {
      LOG.warn("no transactions at the moment: {}", explain(e));
      return false;
    }
  }

  private String explain(RuntimeException e) {
    if (!(Refusal.in(e) instanceof TransactionalIdAuthorizationException)) {
      return Refusal.explain(e, AclOperation.READ); // of offsets
    }
    refusal = Refusal.transactions(config.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG));
    return refusal;
  }

  /** Why there are no transactions, if it is that Kafka refuses them; else null. */
  public String refusal() {
    return refusal;
  }

  /**
   * initTransactions completes or aborts what a predecessor with our id left open, and fences it.
   */
  private Producer<byte[], byte[]> producer() {
    if (producer == null) {
      Producer<byte[], byte[]> fresh = clients.apply(config);
      try {
        fresh.initTransactions();
      } catch (RuntimeException e) {
        fresh.close(Duration.ZERO);
        throw e;
      }
      producer = fresh;
      if (metrics.watched() && fresh instanceof KafkaProducer<?, ?>) {
        meters = new KafkaClientMetrics(fresh);
        meters.bindTo(metrics.registry());
      }
    }
    return producer;
  }

  @Override
  public void close() {
    if (meters != null) {
      meters.close();
      meters = null;
    }
    if (producer != null) {
      producer.close(Duration.ofSeconds(5));
      producer = null;
    }
  }
}
