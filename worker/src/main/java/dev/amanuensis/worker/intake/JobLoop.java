package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.publish.Finished;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.TransactionalPublisher;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that owns the consumer and the transactional producer. It polls without pause (a
 * member that does not poll is thrown out), admits jobs while the sink takes them, and publishes
 * what is finished with the progress of its partitions in one transaction. Jobs finish out of
 * order.
 */
public final class JobLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobLoop.class);
  private static final Duration IDLE_POLL = Duration.ofMillis(200);
  private static final Duration BUSY_POLL = Duration.ofMillis(10);
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** A job's result on its way back to the loop. */
  private record Answer(ConsumerRecord<byte[], byte[]> record, long epoch, JobResult result) {}

  /** A record that was delivered and is not admitted yet. */
  private record Waiting(ConsumerRecord<byte[], byte[]> record, long epoch) {}

  private final IntakeConfig config;
  private final JobSink sink;
  private final ResultEncoder encoder;
  private final TransactionalPublisher publisher;
  private final Deserializer<AudioJob> deserializer;
  private final Assignment assignment = new Assignment();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
  private final List<Finished> finished = new ArrayList<>();
  private final Thread thread = new Thread(this::run, "job-loop");
  private Consumer<byte[], byte[]> consumer;
  private long bytesInFlight;
  private long retryAt;
  private volatile boolean joined;
  private volatile boolean stopping;
  private volatile long stopBy;
  private volatile Throwable failure;

  /** Closes the encoder and the publisher when it ends; the sink stays its owner's. */
  public JobLoop(
      IntakeConfig config, JobSink sink, ResultEncoder encoder, TransactionalPublisher publisher) {
    this.config = config;
    this.sink = sink;
    this.encoder = encoder;
    this.publisher = publisher;
    this.deserializer = AvroSerdes.deserializer(AudioJob.class, config.registry());
  }

  public void start() {
    thread.start();
  }

  /** Whether the group was joined and the loop runs. */
  public boolean ready() {
    return joined && thread.isAlive();
  }

  /** What ended the loop, or null. */
  public Throwable failure() {
    return failure;
  }

  /** Stops taking jobs, gives those in flight some time, publishes what is finished and leaves. */
  public void close(Duration grace) {
    stopBy = System.nanoTime() + grace.toNanos();
    stopping = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
        stopBy = System.nanoTime();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    close(Duration.ofSeconds(30));
  }

  private void run() {
    try (Consumer<byte[], byte[]> own = newConsumer();
        deserializer;
        encoder;
        publisher) {
      consumer = own;
      consumer.subscribe(config.topics(), new Rebalance());
      while (!stopping) {
        turn();
      }
      drain();
    } catch (Throwable e) {
      failure = e;
      LOG.error("the job loop ended: no more jobs are taken", e);
    } finally {
      joined = false;
    }
  }

  private Consumer<byte[], byte[]> newConsumer() {
    return new KafkaConsumer<>(
        config.consumer(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private void turn() {
    collect();
    flush();
    admit();
    boolean hold =
        !waiting.isEmpty() || bytesInFlight >= config.maxBytesInFlight() || assignment.anyFull();
    if (hold) {
      consumer.pause(consumer.assignment());
    } else {
      consumer.resume(consumer.paused());
    }
    boolean busy = sink.inFlight() > 0 || !waiting.isEmpty() || !finished.isEmpty();
    ConsumerRecords<byte[], byte[]> records = consumer.poll(busy ? BUSY_POLL : IDLE_POLL);
    if (!joined && !consumer.assignment().isEmpty()) {
      joined = true;
    }
    take(records);
  }

  private void take(ConsumerRecords<byte[], byte[]> records) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Assignment.Held held = assignment.get(partitionOf(record));
      if (held != null && held.progress().begin(record.offset())) {
        waiting.add(new Waiting(record, held.epoch()));
        bytesInFlight += size(record);
      }
    }
    // Offsets may end in records that are not for us, such as transaction markers.
    records
        .nextOffsets()
        .forEach(
            (partition, next) -> {
              Assignment.Held held = assignment.get(partition);
              if (held != null) {
                held.progress().advanced(next.offset());
              }
            });
  }

  private void admit() {
    if (System.nanoTime() - retryAt < 0) {
      return;
    }
    while (!waiting.isEmpty()) {
      Waiting next = waiting.peek();
      ConsumerRecord<byte[], byte[]> record = next.record();
      if (!assignment.isCurrent(partitionOf(record), next.epoch())) {
        forget(record);
        waiting.remove();
        continue;
      }
      Job job;
      try {
        job = JobDecoder.decode(deserializer.deserialize(record.topic(), record.value()));
      } catch (RegistryFailure e) {
        LOG.warn("{}; trying again", e.getMessage());
        retryAt = System.nanoTime() + RETRY_NANOS;
        return;
      } catch (SerializationException | NullPointerException e) {
        waiting.remove();
        forget(record);
        finished.add(Finished.of(record, next.epoch(), encoder.undecodable(record, e)));
        continue;
      }
      if (!sink.tryAdmit(job, result -> answers.add(new Answer(record, next.epoch(), result)))) {
        return;
      }
      waiting.remove();
    }
  }

  private void collect() {
    for (Answer answer = answers.poll(); answer != null; answer = answers.poll()) {
      ConsumerRecord<byte[], byte[]> record = answer.record();
      forget(record);
      if (assignment.isCurrent(partitionOf(record), answer.epoch())) {
        finished.add(
            Finished.of(record, answer.epoch(), encoder.encode(answer.result(), traceId(record))));
      }
      log(answer.result());
    }
  }

  private static void log(JobResult r) {
    Double total = r.timings().get("total");
    LOG.info(
        "job {} {}{} in {} ms",
        r.job().id(),
        r.status(),
        r.errorCode() == null ? "" : " " + r.errorCode() + ": " + r.errorMessage(),
        total == null ? -1 : Math.round(total));
  }

  /** Publishes what is finished, with the progress of its partitions. */
  private void flush() {
    finished.removeIf(f -> !assignment.isCurrent(f.partition(), f.epoch()));
    if (finished.isEmpty() || System.nanoTime() - retryAt < 0) {
      return;
    }
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (Finished f : finished) {
      offsets.computeIfAbsent(f.partition(), p -> assignment.get(p).progress().after(finished, p));
    }
    switch (publisher.publish(finished, offsets, consumer.groupMetadata())) {
      case COMMITTED -> {
        finished.forEach(f -> assignment.get(f.partition()).progress().done(f.offset()));
        finished.clear();
      }
      case ABORTED -> retryAt = System.nanoTime() + RETRY_NANOS / 10;
      case UNKNOWN -> {
        retryAt = System.nanoTime() + RETRY_NANOS;
        dropWhatIsCommitted(offsets.keySet());
      }
    }
  }

  /** After a transaction of unknown outcome: what the broker's progress has is visible already. */
  private void dropWhatIsCommitted(Collection<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        consumer.committed(java.util.Set.copyOf(partitions));
    finished.removeIf(
        f -> {
          OffsetAndMetadata c = committed.get(f.partition());
          boolean done =
              c != null && new PartitionProgress(c.offset(), c.metadata()).isDone(f.offset());
          if (done) {
            assignment.get(f.partition()).progress().done(f.offset());
          }
          return done;
        });
  }

  /**
   * Nothing new is taken; what is in flight gets its time, then everything finished is published.
   */
  private void drain() {
    consumer.pause(consumer.assignment());
    while (sink.inFlight() > 0 && System.nanoTime() - stopBy < 0) {
      collect();
      flush();
      consumer.poll(BUSY_POLL);
    }
    collect();
    for (int i = 0; i < 10 && !finished.isEmpty(); i++) {
      retryAt = System.nanoTime();
      flush();
    }
  }

  private void forget(ConsumerRecord<byte[], byte[]> record) {
    bytesInFlight -= size(record);
  }

  private static long size(ConsumerRecord<byte[], byte[]> record) {
    return Math.max(0, record.serializedValueSize());
  }

  private static TopicPartition partitionOf(ConsumerRecord<?, ?> record) {
    return new TopicPartition(record.topic(), record.partition());
  }

  /** The trace id of W3C's traceparent header: version-traceid-parentid-flags. */
  private static String traceId(ConsumerRecord<?, ?> record) {
    Header header = record.headers().lastHeader("traceparent");
    if (header == null || header.value() == null) {
      return null;
    }
    String[] parts = new String(header.value(), StandardCharsets.US_ASCII).split("-");
    return parts.length >= 4 && parts[1].matches("[0-9a-f]{32}") ? parts[1] : null;
  }

  /** Runs inside poll, on the loop thread. */
  private final class Rebalance implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      Map<TopicPartition, OffsetAndMetadata> committed =
          consumer.committed(java.util.Set.copyOf(partitions));
      for (TopicPartition p : partitions) {
        OffsetAndMetadata c = committed.get(p);
        assignment.add(p, c == null ? consumer.position(p) : c.offset(), c);
      }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      collect();
      retryAt = System.nanoTime();
      flush();
      assignment.remove(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      assignment.remove(partitions);
    }
  }
}
