package dev.amanuensis.worker.intake;

import static dev.amanuensis.worker.intake.LoopThread.quietly;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Partials;
import dev.amanuensis.worker.publish.Refusal;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.TransactionalPublisher;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
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
public final class JobLoop implements DeliveryLoop {
  private static final Logger LOG = LoggerFactory.getLogger(JobLoop.class);
  private static final Duration IDLE_POLL = Duration.ofMillis(200);

  // Waited for outside poll: with a paused partition's records in its buffer poll(timeout) spins
  // until the time is over, on this thread and the consumer's own (KAFKA-21084, KAFKA-20915).
  private static final Duration BUSY_WAIT = Duration.ofMillis(10);

  /** Before Kafka is asked again for what it refuses. */
  private static final Duration REFUSED_WAIT = Duration.ofMillis(500);

  private static final Duration LOOK_UP = Duration.ofSeconds(5);
  private static final long LAG_NANOS = Duration.ofSeconds(1).toNanos();
  private static final int MAX_UNPUBLISHED = 512;
  private static final int LAST_TRIES = 3;

  private final IntakeConfig config;
  private final JobSink sink;
  private final ResultEncoder encoder;
  private final TransactionalPublisher publisher;
  private final WorkerMetrics metrics;
  private final Deserializer<AudioJob> deserializer;
  private final Assignment assignment = new Assignment();
  private final Refusals refusals;
  private final ProgressReader progress;
  private final Cancellations cancellations;
  private final Partials partials;
  private final Trials trials;
  private final Outbox outbox;
  private final Intake intake;
  private final LoopThread thread =
      new LoopThread(
          "job-loop",
          new LoopThread.Work() {
            @Override
            public void run() throws InterruptedException {
              loop();
            }

            @Override
            public void closeAll() {
              JobLoop.this.closeAll();
            }
          });
  private final Intake.Committer committer =
      new Intake.Committer() {
        @Override
        public boolean commit(Map<TopicPartition, OffsetAndMetadata> progress) {
          return JobLoop.this.commit(progress);
        }

        @Override
        public boolean refuses(String topic) {
          return refusals.holds(topic);
        }
      };
  private Consumer<byte[], byte[]> consumer;
  private KafkaMeters meters;
  private long lookForLag = System.nanoTime();

  private boolean prepared;

  /**
   * Closes the encoder, the publishers, partials and trials when it ends; the sink stays its
   * owner's.
   */
  public JobLoop(
      IntakeConfig config,
      JobSink sink,
      ResultEncoder encoder,
      TransactionalPublisher publisher,
      Partials partials,
      Trials trials,
      WorkerMetrics metrics) {
    this.config = config;
    this.sink = sink;
    this.encoder = encoder;
    this.publisher = publisher;
    this.metrics = metrics;
    this.deserializer = AvroSerdes.deserializer(AudioJob.class, config.registry());
    this.refusals = new Refusals(config.group());
    this.progress = new ProgressReader(assignment, refusals);
    this.partials = partials;
    this.trials = trials;
    this.cancellations =
        new Cancellations(config.controlTopic(), config.consumer(), config.registry());
    this.outbox = new Outbox(assignment, encoder, publisher, metrics);
    this.intake =
        new Intake(
            config,
            assignment,
            sink,
            outbox,
            deserializer,
            cancellations,
            partials,
            trials,
            metrics);
    outbox.listener(intake);
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
    consumer =
        new KafkaConsumer<>(
            config.consumer(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    meters = new KafkaMeters(metrics, consumer, assignment, intake);
    consumer.subscribe(config.topics(), new Rebalance());
    while (!thread.stopping()) {
      turn();
    }
    drain();
  }

  private void turn() throws InterruptedException {
    outbox.collect();
    outbox.flush(consumer);
    try {
      progress.read(consumer);
      intake.admit(committer);
      commitLagging();
      beReadyToPublish();
      pause(mustHold());
      boolean idle = intake.idle() && outbox.size() == 0 && progress.fresh().isEmpty();
      ConsumerRecords<byte[], byte[]> records = consumer.poll(idle ? IDLE_POLL : Duration.ZERO);
      intake.take(records);
      if (!idle && records.isEmpty()) {
        outbox.awaitAnswer(BUSY_WAIT);
      }
      meters.turn();
      if (consumer.groupMetadata().generationId() > 0) {
        thread.joined();
      }
    } catch (RetriableException e) {
      LOG.warn("Kafka does not answer: {}; trying again", e.toString());
    } catch (GroupAuthorizationException e) {
      // The client gives its membership up for good: only a new worker can join again.
      throw new KafkaException(Refusal.group(config.group()), e);
    } catch (AuthorizationException e) {
      refusals.noted(e);
      outbox.awaitAnswer(REFUSED_WAIT);
    }
    refusals.turn(outbox.refusal());
  }

  /**
   * The first transaction takes some time to prepare: that passes while the first job is worked on,
   * and not after it. If it fails, publishing tries again.
   */
  private void beReadyToPublish() {
    if (!prepared && intake.running() > 0) {
      prepared = true;
      publisher.settle();
    }
  }

  private boolean mustHold() {
    return outbox.bytes() >= config.maxBytesInFlight() || outbox.size() >= MAX_UNPUBLISHED;
  }

  /**
   * Progress and marks, outside a transaction. Fenced by the member's epoch as a transaction is.
   * False where the group is being rebalanced (classic protocol), or Kafka does not answer.
   */
  private boolean commit(Map<TopicPartition, OffsetAndMetadata> progress) {
    if (progress.isEmpty()) {
      return true;
    }
    if (outbox.uncertain()) {
      return false; // it would take back what the last transaction may have committed as done
    }
    try {
      long started = System.nanoTime();
      consumer.commitSync(progress, LOOK_UP);
      assignment.committed(progress);
      metrics.marked(System.nanoTime() - started);
      return true;
    } catch (AuthorizationException e) {
      refusals.noted(e);
      return false;
    } catch (KafkaException e) {
      LOG.warn("marks of {} can't be committed now: {}", progress.keySet(), e.toString());
      return false;
    }
  }

  /** A successor need not read again what its predecessors had done to the end. */
  private void commitLagging() {
    long now = System.nanoTime();
    if (now - lookForLag >= 0) {
      lookForLag = now + LAG_NANOS;
      commit(assignment.toCommitOf(assignment.lagging()));
    }
  }

  /** Pauses what must not deliver now, and only that: one slow partition holds no other back. */
  private void pause(boolean everything) {
    for (int left = 3; ; left--) {
      try {
        Set<TopicPartition> all = consumer.assignment();
        Set<TopicPartition> hold = new HashSet<>(everything ? all : progress.fresh());
        if (!everything) {
          hold.addAll(assignment.full());
          all.stream().filter(p -> !intake.mayFetch(p)).forEach(hold::add);
        }
        hold.retainAll(all);
        holdExactly(hold);
        return;
      } catch (IllegalStateException e) {
        // A fenced member's partitions are taken by the consumer's own thread, at any moment.
        if (left == 0) {
          throw e;
        }
      }
    }
  }

  private void holdExactly(Set<TopicPartition> hold) {
    Set<TopicPartition> paused = consumer.paused();
    if (!paused.equals(hold)) {
      Set<TopicPartition> resume = new HashSet<>(paused);
      resume.removeAll(hold);
      consumer.resume(resume);
      consumer.pause(hold);
    }
  }

  /**
   * Nothing new is taken; what is in flight gets its time, then everything finished is published.
   */
  private void drain() throws InterruptedException {
    while (intake.running() > 0 && thread.inGrace()) {
      outbox.collect();
      outbox.flush(consumer);
      keepMembership();
    }
    for (int i = 0; i < LAST_TRIES || thread.inGrace(); i++) {
      outbox.hurry();
      outbox.collect();
      outbox.flush(consumer);
      if (outbox.size() == 0) {
        break;
      }
      keepMembership();
    }
    // What is left belongs to the successor, and nothing was wrong with it.
    commit(intake.giveBack(assignment.partitions()));
    assignment.clear();
  }

  private void keepMembership() throws InterruptedException {
    try {
      pause(true);
      consumer.poll(Duration.ZERO);
      outbox.awaitAnswer(BUSY_WAIT);
    } catch (RetriableException e) {
      LOG.warn("Kafka does not answer: {}", e.toString());
    } catch (TopicAuthorizationException e) {
      refusals.noted(e);
      outbox.awaitAnswer(REFUSED_WAIT);
    }
  }

  private void closeAll() {
    quietly(meters);
    // The consumer first: leaving the group may still publish.
    quietly(consumer == null ? null : () -> consumer.close(CloseOptions.timeout(LOOK_UP)));
    quietly(cancellations);
    quietly(partials);
    quietly(trials);
    quietly(publisher);
    quietly(encoder);
    quietly(deserializer::close);
  }

  /** Runs inside poll, on the loop thread. Throws nothing. */
  private final class Rebalance implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      metrics.rebalanced("assigned");
      consumer.pause(partitions);
      progress.assigned(partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      try {
        outbox.hurry();
        outbox.collect();
        outbox.flushAll(consumer);
        commit(intake.giveBack(partitions));
      } catch (RuntimeException e) {
        LOG.warn("results of revoked partitions are left to their new owner: {}", e.toString());
      }
      metrics.rebalanced("revoked");
      drop(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      metrics.rebalanced("lost");
      drop(partitions);
    }

    private void drop(Collection<TopicPartition> partitions) {
      progress.dropped(partitions);
      assignment.remove(partitions);
      intake.cancelLost();
    }
  }
}
