package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.metrics.JobLog;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Encoded;
import dev.amanuensis.worker.publish.Refusal;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.TransactionalPublisher;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Results on their way out: answered by the sink, serialised, published in one transaction with the
 * progress of their partitions. Belongs to the loop thread, but for {@link #answer}.
 */
final class Outbox {
  private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);
  private static final int MAX_BATCH = 256;
  private static final long MAX_BATCH_BYTES = 16 << 20;
  private static final Duration LOOK_UP = Duration.ofSeconds(5);
  private static final Duration FLUSH_ALL = Duration.ofSeconds(5);
  private static final Duration FIRST_WAIT = Duration.ofMillis(500);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

  /** A job's result on its way back to the loop. */
  private record Answer(Delivery delivery, JobResult result) {}

  /**
   * Something to publish.
   *
   * @param smaller what to send where the broker finds the first encoding too large
   */
  private record Item(Delivery delivery, Supplier<Encoded> encoding, Supplier<Encoded> smaller) {
    Ticket ticket() {
      return delivery.ticket;
    }
  }

  /** An item in its serialised form. */
  private record Ready(Item item, Encoded answer) {
    List<ProducerRecord<byte[], byte[]>> outputs() {
      return answer.records();
    }

    int bytes() {
      return answer.bytes();
    }

    List<String> topics() {
      return outputs().stream().map(ProducerRecord::topic).toList();
    }
  }

  /** Is told what becomes of deliveries. */
  interface Listener {
    /** The sink has answered. */
    void answered(Delivery delivery, JobResult result);

    void published(Delivery delivery);

    /** Its partition went before it was published. */
    void closed(Delivery delivery);
  }

  private final Assignment assignment;
  private final ResultEncoder encoder;
  private final TransactionalPublisher publisher;
  private final WorkerMetrics metrics;
  private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
  private final Queue<Item> toEncode = new ArrayDeque<>();
  private final List<Ready> ready = new ArrayList<>();
  private final Backoff registry = new Backoff(Duration.ofMillis(100));
  private final Backoff broker = new Backoff(Duration.ofMillis(50));
  private final Destinations destinations = new Destinations();
  private Listener listener;
  private long bytes;

  /** Results of one transaction, at most; less while a spoiler is looked for. */
  private int maxBatch = MAX_BATCH;

  /** The last transaction's outcome is unknown: what is ready may be visible already. */
  private boolean uncertain;

  Outbox(
      Assignment assignment,
      ResultEncoder encoder,
      TransactionalPublisher publisher,
      WorkerMetrics metrics) {
    this.assignment = assignment;
    this.encoder = encoder;
    this.publisher = publisher;
    this.metrics = metrics;
  }

  void listener(Listener l) {
    this.listener = l;
  }

  /** The sink's answer; called on any thread, never blocks. */
  void answer(Delivery delivery, JobResult result) {
    answers.add(new Answer(delivery, result));
  }

  /**
   * A job has ended with this result, which is to be published.
   *
   * @param attempt that gave it, 1 for the first
   */
  void result(Delivery d, JobResult result, int attempt) {
    toEncode.add(
        new Item(
            d,
            () -> encoder.encode(d.record, result, attempt),
            () -> encoder.smaller(d.record, result, attempt)));
  }

  void undecodable(Delivery d, Exception cause) {
    toEncode.add(
        new Item(
            d,
            () -> encoder.undecodable(d.record, cause),
            () -> encoder.undecodableWithoutBytes(d.record, cause)));
  }

  /** Returns when the sink has answered, or after so long. */
  void awaitAnswer(Duration most) throws InterruptedException {
    takeOver(answers.poll(most.toNanos(), TimeUnit.NANOSECONDS));
  }

  private void takeOver(Answer a) {
    if (a != null) {
      listener.answered(a.delivery(), a.result());
    }
  }

  /** Takes the sink's answers over and serialises them. */
  void collect() {
    while (!answers.isEmpty()) {
      takeOver(answers.poll());
    }
    while (!toEncode.isEmpty() && registry.over()) {
      Item item = toEncode.peek();
      if (!assignment.isCurrent(item.ticket())) {
        listener.closed(item.delivery());
      } else if (!encode(item)) {
        return;
      }
      toEncode.remove();
    }
  }

  private boolean encode(Item item) {
    try {
      Encoded answer = item.encoding().get();
      add(new Ready(item, answer));
      if (answer.result() != null) {
        metrics.jobEnded(answer.result());
        JobLog.ended(answer.result());
      }
      registry.succeeded();
      return true;
    } catch (RegistryFailure e) {
      LOG.warn("{}; results wait", e.getMessage());
      registry.failed();
      metrics.retried(WorkerMetrics.Retry.REGISTRY);
      return false;
    }
  }

  private void add(Ready r) {
    ready.add(r);
    bytes += r.bytes();
  }

  /** Publishes all that is ready and can be published, for some seconds at most. */
  void flushAll(Consumer<?, ?> consumer) {
    long until = System.nanoTime() + FLUSH_ALL.toNanos();
    while (flush(consumer) && System.nanoTime() - until < 0) {}
  }

  /**
   * Publishes a batch of what is ready, with the progress of its partitions.
   *
   * @return whether another call may publish more
   */
  boolean flush(Consumer<?, ?> consumer) {
    if (!broker.over() || (uncertain && !reconcile(consumer))) {
      return false;
    }
    dropLost();
    List<Ready> batch = nextBatch(consumer);
    if (batch.isEmpty()) {
      return false;
    }
    Map<TopicPartition, OffsetAndMetadata> offsets =
        assignment.after(batch.stream().map(r -> r.item().ticket()).toList());
    long started = System.nanoTime();
    TransactionalPublisher.Result result =
        publisher.publish(
            batch.stream().flatMap(r -> r.outputs().stream()).toList(),
            offsets,
            consumer.groupMetadata());
    metrics.transaction(result.outcome().name(), System.nanoTime() - started);
    if (result.outcome() != TransactionalPublisher.Outcome.COMMITTED) {
      metrics.retried(WorkerMetrics.Retry.TRANSACTION);
      broker.failed();
    }
    switch (result.outcome()) {
      case COMMITTED -> {
        broker.succeeded();
        assignment.committed(offsets);
        maxBatch = Math.min(MAX_BATCH, 2 * maxBatch);
        batch.forEach(r -> destinations.accepted(r.topics()));
        finish(batch);
      }
      case ABORTED -> setAside(batch, result);
      case UNKNOWN -> uncertain = true;
    }
    return result.outcome() != TransactionalPublisher.Outcome.UNKNOWN;
  }

  /** What has spoilt a transaction is tried again alone: it must not spoil that of the others. */
  private List<Ready> nextBatch(Consumer<?, ?> consumer) {
    List<Ready> batch = new ArrayList<>();
    long sum = 0;
    for (Ready r : ready) {
      Backoff spoilt = r.item().delivery().spoilt;
      if ((spoilt != null && !spoilt.over()) || !destinations.take(r.topics(), consumer)) {
        continue;
      }
      if (spoilt != null || destinations.doubtful(r.topics())) {
        if (batch.isEmpty()) {
          return List.of(r);
        }
        continue;
      }
      sum += r.bytes();
      if (!batch.isEmpty() && (batch.size() >= maxBatch || sum > MAX_BATCH_BYTES)) {
        break;
      }
      batch.add(r);
    }
    return batch;
  }

  /** After an aborted transaction: the next one goes without what spoilt it. */
  private void setAside(List<Ready> batch, TransactionalPublisher.Result result) {
    if (!result.tooLarge().isEmpty()) {
      shrink(batch, result.tooLarge());
    } else if (!result.refused().isEmpty()) {
      result.refused().forEach(destinations::refused);
      broker.skip();
    } else if (batch.size() > 1) {
      maxBatch = batch.size() / 2; // so it is found, if there is one
      broker.skip();
    } else {
      Delivery d = batch.get(0).item().delivery();
      if (d.spoilt == null) {
        d.spoilt = new Backoff(FIRST_WAIT, LONGEST_WAIT);
      }
      d.spoilt.failed();
    }
  }

  private void finish(Collection<Ready> published) {
    Set<Ready> all = new HashSet<>(published);
    for (Ready r : all) {
      assignment.progressOf(r.item().ticket()).done(r.item().ticket().offset());
      bytes -= r.bytes();
      metrics.answered(r.answer().deadLetter());
      listener.published(r.item().delivery());
    }
    ready.removeIf(all::contains);
  }

  /** What the broker finds too large is sent without its payload. */
  private void shrink(List<Ready> batch, Set<Integer> tooLarge) {
    for (Ready old : spoilers(batch, tooLarge)) {
      try {
        Ready small = new Ready(old.item(), old.item().smaller().get());
        ready.set(ready.indexOf(old), small);
        bytes += small.bytes() - old.bytes();
        if (small.bytes() < old.bytes()) {
          broker.skip();
        }
      } catch (RegistryFailure e) {
        LOG.warn("{}; results wait", e.getMessage());
      }
    }
  }

  /** The items that the outputs with these numbers belong to. */
  private static Set<Ready> spoilers(List<Ready> batch, Set<Integer> outputs) {
    Set<Ready> found = new HashSet<>();
    int number = 0;
    for (Ready r : batch) {
      for (int i = 0; i < r.outputs().size(); i++) {
        if (outputs.contains(number++)) {
          found.add(r);
        }
      }
    }
    return found;
  }

  private void dropLost() {
    ready.removeIf(
        r -> {
          boolean lost = !assignment.isCurrent(r.item().ticket());
          if (lost) {
            bytes -= r.bytes();
            listener.closed(r.item().delivery());
          }
          return lost;
        });
  }

  /**
   * After a transaction of unknown outcome: settles it, and drops what the committed progress says
   * is visible. Nothing is published before that succeeds.
   */
  private boolean reconcile(Consumer<?, ?> consumer) {
    try {
      if (!publisher.settle()) {
        broker.failed();
        return false;
      }
      dropLost();
      Set<TopicPartition> partitions = new HashSet<>();
      ready.forEach(r -> partitions.add(r.item().ticket().partition()));
      Map<TopicPartition, OffsetAndMetadata> committed =
          partitions.isEmpty() ? Map.of() : consumer.committed(partitions, LOOK_UP);
      finish(ready.stream().filter(r -> isDone(r, committed)).toList());
      uncertain = false;
      broker.succeeded();
      return true;
    } catch (RetriableException | TopicAuthorizationException e) {
      LOG.warn("can't read the committed progress: {}", Refusal.explain(e, AclOperation.READ));
      broker.failed();
      return false;
    }
  }

  private static boolean isDone(Ready r, Map<TopicPartition, OffsetAndMetadata> committed) {
    OffsetAndMetadata c = committed.get(r.item().ticket().partition());
    return c != null
        && new PartitionProgress(c.offset(), c.metadata()).isDone(r.item().ticket().offset());
  }

  /** Whether results may be committed that this worker does not know of as done. */
  boolean uncertain() {
    return uncertain;
  }

  /** Why results wait that could be published, or null. */
  String refusal() {
    return publisher.refusal() == null ? destinations.refusal() : publisher.refusal();
  }

  /** The next flush does not wait for its turn. */
  void hurry() {
    registry.skip();
    broker.skip();
  }

  /** Results that are not published yet. */
  int size() {
    return toEncode.size() + ready.size();
  }

  /** Of serialised results that are not published yet. */
  long bytes() {
    return bytes;
  }
}
