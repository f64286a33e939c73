package dev.amanuensis.worker.intake;

import static dev.amanuensis.worker.intake.LoopThread.quietly;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.JobLog;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Encoded;
import dev.amanuensis.worker.publish.Refusal;
import dev.amanuensis.worker.publish.ResultEncoder;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivery through a share group (KIP-932), for fleets with more workers than partitions.
 *
 * <p><b>At least once.</b> A result is published before its record is acknowledged, in no
 * transaction with it: a worker that is lost between the two, or whose lock expired while it was
 * stopped, leaves two results for one record. There are no suspects, no lanes' shares and no resume
 * either; the broker counts deliveries, and this loop gives a record up that was delivered more
 * than max.attempts times.
 *
 * <p>A record that is at work is renewed: its lock starts again, and poll brings it back, alone
 * with others that are renewed. So a consumer takes nothing new before all of its batch is
 * answered, and a worker has several of these loops ({@link ShareLoops}). One thread owns the
 * consumer and the producer.
 */
public final class ShareLoop implements DeliveryLoop {
  private static final Logger LOG = LoggerFactory.getLogger(ShareLoop.class);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration CLOSE = Duration.ofSeconds(5);

  private static final int MISSED_POLLS = 10;

  /** Where the broker did not say yet how long a lock lasts; Kafka's default. */
  private static final int DEFAULT_LOCK_MILLIS = 30_000;

  private record Place(TopicPartition partition, long offset) {
    static Place of(ConsumerRecord<?, ?> r) {
      return new Place(new TopicPartition(r.topic(), r.partition()), r.offset());
    }
  }

  /** A record that this worker holds. */
  private static final class Held {
    ConsumerRecord<byte[], byte[]> record;
    Job job;
    AdmittedJob admitted;
    int retries;
    long due = System.nanoTime();

    /** Serialises its answer, once it has one. */
    Supplier<Encoded> outputs;

    /** The same for topics that don't take the answer. */
    Supplier<Encoded> smaller;

    boolean published;

    /** Polls since the last one that brought it. */
    int missed;

    /** When it came last, by System.nanoTime. */
    long seen;

    int deliveries() {
      return record.deliveryCount().map(Short::intValue).orElse(1);
    }
  }

  private record Answer(Held held, JobResult result) {}

  private final ShareConfig config;
  private final JobSink sink;
  private final ResultEncoder encoder;
  private final WorkerMetrics metrics;
  private final Deserializer<AudioJob> deserializer;
  private final Cancellations cancellations;
  private final Map<Place, Held> held = new LinkedHashMap<>();
  private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
  private final Backoff registry = new Backoff(Duration.ofMillis(100));
  private final LoopThread thread =
      new LoopThread(
          "share-loop",
          new LoopThread.Work() {
            @Override
            public void run() throws InterruptedException {
              loop();
            }

            @Override
            public void closeAll() {
              ShareLoop.this.closeAll();
            }
          });
  private final Refusals refusals;

  /** Why the last result was not published, if it was refused. */
  private String publishing;

  private ShareConsumer<byte[], byte[]> consumer;
  private Producer<byte[], byte[]> producer;

  /** Closes the encoder when it ends; the sink stays its owner's. */
  public ShareLoop(ShareConfig config, JobSink sink, ResultEncoder encoder, WorkerMetrics metrics) {
    this.config = config;
    this.sink = sink;
    this.encoder = encoder;
    this.metrics = metrics;
    this.refusals = new Refusals(config.group());
    IntakeConfig intake = config.intake();
    this.deserializer = AvroSerdes.deserializer(AudioJob.class, intake.registry());
    this.cancellations =
        new Cancellations(intake.controlTopic(), intake.consumer(), intake.registry());
  }

  @Override
  public void start() {
    cancellations.start();
    thread.start();
  }

  @Override
  public boolean ready() {
    return thread.ready();
  }

  @Override
  public Throwable failure() {
    return thread.failure();
  }

  @Override
  public String refusal() {
    return refusals.current();
  }

  @Override
  public void close(Duration grace) {
    thread.close(grace);
  }

  private void loop() throws InterruptedException {
    ShareGroup.configure(config);
    producer = new KafkaProducer<>(config.producer());
    consumer =
        new KafkaShareConsumer<>(
            config.intake().consumer(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(config.intake().topics());
    while (!thread.stopping() || (busy() && thread.inGrace())) {
      turn();
    }
    held.values().stream().filter(h -> h.admitted != null).forEach(h -> h.admitted.cancel());
  }

  private boolean busy() {
    return held.values().stream().anyMatch(h -> h.admitted != null || h.outputs != null)
        || !answers.isEmpty();
  }

  private void turn() throws InterruptedException {
    collect();
    cancelOrdered();
    try {
      ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
      thread.joined();
      for (ConsumerRecord<byte[], byte[]> record : records) {
        Held h = held.computeIfAbsent(Place.of(record), p -> new Held());
        h.record = record;
        h.missed = -1;
        h.seen = System.nanoTime();
        if (h.outputs == null && h.admitted == null && !thread.stopping()) {
          advance(h);
        }
        if (h.outputs != null && !h.published) {
          publish(h);
        }
        acknowledge(h);
      }
      dropLost();
      if (!records.isEmpty()) {
        consumer.commitAsync();
        // Renewed records come back at once; their locks last for seconds.
        Thread.sleep(POLL.toMillis());
      }
    } catch (RetriableException e) {
      LOG.warn("Kafka does not answer: {}; trying again", e.toString());
    } catch (GroupAuthorizationException e) {
      throw new KafkaException(Refusal.group(config.group()), e);
    } catch (AuthorizationException e) {
      refusals.noted(e);
      Thread.sleep(POLL.toMillis());
    }
    refusals.turn(publishing);
  }

  /**
   * A record that is renewed comes with every poll. One that stays away for longer than its lock
   * lasts is another worker's.
   */
  private void dropLost() {
    long lock = consumer.acquisitionLockTimeoutMs().orElse(DEFAULT_LOCK_MILLIS) * 1_000_000L;
    long now = System.nanoTime();
    held.entrySet()
        .removeIf(
            e -> {
              Held h = e.getValue();
              boolean lost = ++h.missed > MISSED_POLLS && now - h.seen > 2 * lock;
              if (lost) {
                LOG.warn("{}: its lock was lost, another worker answers it", e.getKey());
                if (h.admitted != null) {
                  h.admitted.cancel();
                }
              }
              return lost;
            });
  }

  private void acknowledge(Held h) {
    if (h.published) {
      consumer.acknowledge(h.record, AcknowledgeType.ACCEPT);
      held.remove(Place.of(h.record));
    } else if (thread.stopping() && h.admitted == null && h.outputs == null) {
      consumer.acknowledge(h.record, AcknowledgeType.RELEASE);
      held.remove(Place.of(h.record));
    } else {
      consumer.acknowledge(h.record, AcknowledgeType.RENEW);
    }
  }

  /** Starts a record's job, or answers it. */
  private void advance(Held h) {
    if (!cancellations.caughtUp() || !registry.over() || h.due - System.nanoTime() > 0) {
      return;
    }
    if (h.job == null) {
      try {
        h.job =
            JobDecoder.decode(deserializer.deserialize(h.record.topic(), h.record.value()))
                .inTrace(TraceParent.traceId(h.record.headers()));
        registry.succeeded();
      } catch (RegistryFailure e) {
        LOG.warn("{}; trying again", e.getMessage());
        registry.failed();
        metrics.retried(WorkerMetrics.Retry.REGISTRY);
        return;
      } catch (RuntimeException e) {
        LOG.warn("{} is no job: {}", Place.of(h.record), e.getMessage());
        h.outputs = () -> encoder.undecodable(h.record, e);
        h.smaller = () -> encoder.undecodableWithoutBytes(h.record, e);
        return;
      }
    }
    String cancelled = cancellations.cancelled(h.job.id(), h.record.timestamp());
    if (cancelled != null) {
      answer(h, JobResult.Status.CANCELLED, ErrorCode.CANCELLED, cancelled);
    } else if (h.job.deadline() != null && Instant.now().isAfter(h.job.deadline())) {
      String message = "the deadline %s passed before work began".formatted(h.job.deadline());
      answer(h, JobResult.Status.EXPIRED, ErrorCode.DEADLINE_EXCEEDED, message);
    } else if (h.deliveries() > config.intake().maxAttempts()) {
      String message = "it was delivered %d times and never answered".formatted(h.deliveries());
      answer(h, JobResult.Status.FAILED, ErrorCode.ATTEMPTS_EXHAUSTED, message);
    } else {
      h.admitted = sink.tryAdmit(h.job, null, result -> answers.add(new Answer(h, result)));
      if (h.admitted != null) {
        metrics.jobAdmitted(h.job, h.record.topic());
      }
    }
  }

  private void answer(Held h, JobResult.Status status, ErrorCode code, String message) {
    finish(h, new JobResult(h.job, status, null, null, code, message, Map.of()));
  }

  /** Takes the sink's answers over; those that failed for a reason that may pass start again. */
  private void collect() {
    for (Answer a = answers.poll(); a != null; a = answers.poll()) {
      Held h = a.held();
      h.admitted = null;
      JobResult result = a.result();
      if (result.mayPass() && h.retries < config.intake().maxRetries()) {
        h.due = System.nanoTime() + config.intake().retryAfter(h.retries++).toNanos();
      } else {
        finish(h, result);
      }
    }
  }

  private void finish(Held h, JobResult result) {
    int attempt = h.deliveries();
    h.outputs = () -> encoder.encode(h.record, result, attempt);
    h.smaller = () -> encoder.smaller(h.record, result, attempt);
  }

  /** What can't be sent is sent again when the record comes back: at least once. */
  private void publish(Held h) {
    if (!registry.over() || h.due - System.nanoTime() > 0) {
      return;
    }
    try {
      Encoded answer = h.outputs.get();
      List<Future<RecordMetadata>> sent = answer.records().stream().map(producer::send).toList();
      for (Future<RecordMetadata> s : sent) {
        s.get();
      }
      h.published = true;
      publishing = null;
      metrics.answered(answer.deadLetter());
      if (answer.result() != null) {
        metrics.jobEnded(answer.result());
        JobLog.ended(answer.result());
      }
    } catch (RegistryFailure e) {
      LOG.warn("{}; the result waits", e.getMessage());
      registry.failed();
      metrics.retried(WorkerMetrics.Retry.REGISTRY);
    } catch (ExecutionException | KafkaException e) {
      String why = Refusal.explain(e, AclOperation.WRITE);
      LOG.warn("a result can't be published: {}; trying again", why);
      publishing = Refusal.in(e) == null ? null : why;
      h.due = System.nanoTime() + config.intake().retryAfter().toNanos();
      if (e instanceof RecordTooLargeException || e.getCause() instanceof RecordTooLargeException) {
        h.outputs = h.smaller;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void cancelOrdered() {
    for (String id = cancellations.poll(); id != null; id = cancellations.poll()) {
      for (Held h : held.values()) {
        if (h.admitted != null
            && h.job.id().equals(id)
            && cancellations.cancelled(id, h.record.timestamp()) != null) {
          h.admitted.cancel();
        }
      }
    }
  }

  private void closeAll() {
    quietly(consumer == null ? null : () -> consumer.close(CLOSE));
    quietly(producer == null ? null : () -> producer.close(CLOSE));
    quietly(cancellations);
    quietly(encoder);
    quietly(deserializer::close);
  }
}
