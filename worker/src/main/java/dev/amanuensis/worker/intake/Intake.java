package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.metrics.JobLog;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Partials;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records on their way into the sink: delivered, decoded, marked as started, admitted, and counted
 * until their result is published. Belongs to the loop thread.
 *
 * <p>What is started is committed before its work begins. A record that a lost worker had started
 * is a suspect: it may have killed that worker. Suspects run one at a time, with nothing else in
 * this process; only a worker that is lost meanwhile counts as an attempt.
 */
final class Intake implements Outbox.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

  /** Commits progress outside transactions. */
  interface Committer {
    /** False if it can't be done now; nothing is thrown. */
    boolean commit(Map<TopicPartition, OffsetAndMetadata> progress);
  }

  /** What is to be done with a delivered record now. */
  private enum Next {
    START,
    WAIT,
    /** It has its result. */
    ANSWERED,
    /** Nothing can be decoded for the moment. */
    STOP
  }

  private final IntakeConfig config;
  private final Assignment assignment;
  private final JobSink sink;
  private final Outbox outbox;
  private final Deserializer<AudioJob> deserializer;
  private final Cancellations cancellations;
  private final Partials partials;
  private final WorkerMetrics metrics;
  private final Lanes lanes;
  private final List<Delivery> suspects = new ArrayList<>();
  private final Map<Ticket, Delivery> running = new LinkedHashMap<>();
  private final Backoff registry = new Backoff(Duration.ofMillis(100));
  private final Backoff broker = new Backoff(Duration.ofMillis(50));
  private Delivery alone;

  Intake(
      IntakeConfig config,
      Assignment assignment,
      JobSink sink,
      Outbox outbox,
      Deserializer<AudioJob> deserializer,
      Cancellations cancellations,
      Partials partials,
      WorkerMetrics metrics) {
    this.config = config;
    this.assignment = assignment;
    this.sink = sink;
    this.outbox = outbox;
    this.deserializer = deserializer;
    this.cancellations = cancellations;
    this.partials = partials;
    this.metrics = metrics;
    this.lanes = new Lanes(config.lanes(), config.maxJobs(), config.maxBytesInFlight());
  }

  /** Notes what was delivered; what a predecessor has done already is skipped. */
  void take(ConsumerRecords<byte[], byte[]> records) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Assignment.Held held = assignment.get(new TopicPartition(record.topic(), record.partition()));
      if (held != null && held.progress().begin(record.offset())) {
        Delivery d =
            new Delivery(record, Ticket.of(record, held.epoch()), lanes.of(record.topic()));
        d.lane.bytes += d.ticket.bytes();
        enqueue(d);
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

  private void enqueue(Delivery d) {
    Mark mark = mark(d);
    if (mark != null && mark.suspect()) {
      suspects.add(d);
      metrics.suspect();
    } else {
      d.lane.waiting.add(d);
    }
  }

  /** Hands over what the sink takes. */
  void admit(Committer committer) {
    cancelOrdered();
    dropLost();
    if (!registry.over() || !broker.over() || !cancellations.caughtUp() || alone != null) {
      return;
    }
    if (suspects.isEmpty()) {
      start(choose(), committer);
    } else if (running.isEmpty() && sink.inFlight() == 0) {
      Delivery suspect = nextSuspect();
      if (suspect != null) {
        alone = suspect;
        start(List.of(suspect), committer);
      }
    }
  }

  /** Those with the fewest attempts first: the innocent are not to wait for the culprit. */
  private Delivery nextSuspect() {
    suspects.sort(Comparator.comparingInt(d -> mark(d).attempts()));
    for (Iterator<Delivery> i = suspects.iterator(); i.hasNext(); ) {
      Delivery d = i.next();
      Next next = d.due - System.nanoTime() > 0 ? Next.WAIT : prepare(d);
      if (next == Next.STOP) {
        return null;
      }
      if (next != Next.WAIT) {
        i.remove();
      }
      if (next == Next.START) {
        d.lane.running++;
        return d;
      }
    }
    return null;
  }

  private List<Delivery> choose() {
    List<Delivery> chosen = new ArrayList<>();
    Set<Lane> blocked = new HashSet<>();
    while (registry.over()) {
      Lane lane = lanes.next(l -> !l.waiting.isEmpty() && !blocked.contains(l));
      if (lane == null) {
        break;
      }
      Delivery d = first(lane, chosen);
      if (d == null) {
        blocked.add(lane);
      } else {
        lanes.admitted(lane);
        chosen.add(d);
      }
    }
    return chosen;
  }

  /** Takes the first record of a lane that can start now out of it; null if there is none. */
  private Delivery first(Lane lane, List<Delivery> chosen) {
    for (Iterator<Delivery> i = lane.waiting.iterator(); i.hasNext(); ) {
      Delivery d = i.next();
      PartitionProgress progress = assignment.progressOf(d.ticket);
      if (d.due - System.nanoTime() > 0
          || !progress.fits(d.ticket.offset())
          || !progress.takesMark(d.ticket.offset(), marksToCome(d, chosen))) {
        continue;
      }
      switch (prepare(d)) {
        case START -> {
          i.remove();
          return d;
        }
        case ANSWERED -> i.remove();
        case STOP -> {
          return null;
        }
        case WAIT -> {}
      }
    }
    return null;
  }

  private static int marksToCome(Delivery d, List<Delivery> chosen) {
    return (int)
        chosen.stream().filter(c -> c.ticket.partition().equals(d.ticket.partition())).count();
  }

  /** Decodes a record, and answers those that need no work. */
  private Next prepare(Delivery d) {
    if (d.job == null) {
      try {
        d.job = decode(d);
        registry.succeeded();
      } catch (RegistryFailure e) {
        LOG.warn("{}; trying again", e.getMessage());
        registry.failed();
        metrics.retried(WorkerMetrics.Retry.REGISTRY);
        return Next.STOP;
      } catch (RuntimeException e) {
        // Whatever decoding throws, the next record must not wait for this one.
        LOG.warn("{}@{} is no job: {}", d.ticket.partition(), d.ticket.offset(), e.getMessage());
        outbox.undecodable(d, e);
        return Next.ANSWERED;
      }
    }
    Mark mark = mark(d);
    String cancelled = cancellations.cancelled(d.job.id(), d.record.timestamp());
    if (cancelled != null) {
      return answer(d, JobResult.Status.CANCELLED, ErrorCode.CANCELLED, cancelled);
    }
    if (d.job.deadline() != null && Instant.now().isAfter(d.job.deadline())) {
      String message = "the deadline %s passed before work began".formatted(d.job.deadline());
      return answer(d, JobResult.Status.EXPIRED, ErrorCode.DEADLINE_EXCEEDED, message);
    }
    if (mark != null && mark.attempts() >= config.maxAttempts()) {
      String message =
          "%d workers were lost while they did this job and nothing else"
              .formatted(mark.attempts());
      return answer(d, JobResult.Status.FAILED, ErrorCode.ATTEMPTS_EXHAUSTED, message);
    }
    if (mark != null && d.earlier == null) {
      d.earlier = partials.find(d.record, d.job.id());
    }
    return d.earlier != null && !d.earlier.isDone() ? Next.WAIT : Next.START;
  }

  private Job decode(Delivery d) {
    return JobDecoder.decode(deserializer.deserialize(d.record.topic(), d.record.value()))
        .inTrace(TraceParent.traceId(d.record.headers()));
  }

  private Next answer(Delivery d, JobResult.Status status, ErrorCode code, String message) {
    JobResult result = new JobResult(d.job, status, null, null, code, message, Map.of());
    outbox.result(d, result, attempts(d));
    return Next.ANSWERED;
  }

  /** Marks records as started, and admits them once that is committed. */
  private void start(List<Delivery> chosen, Committer committer) {
    if (chosen.isEmpty()) {
      return;
    }
    Map<Delivery, Mark> before = new LinkedHashMap<>();
    for (Delivery d : chosen) {
      before.put(d, mark(d));
      mark(d, d == alone ? new Mark(Mark.State.ALONE, mark(d).attempts()) : Mark.STARTED);
    }
    if (!committer.commit(assignment.toCommit(chosen.stream().map(d -> d.ticket).toList()))) {
      broker.failed();
      before.forEach(this::putBack);
      return;
    }
    broker.succeeded();
    before.forEach(
        (d, mark) -> {
          d.admitted = sink.tryAdmit(urgent(d), earlier(d), listener(d));
          if (d.admitted == null) {
            putBack(d, mark);
          } else {
            running.put(d.ticket, d);
            metrics.jobAdmitted(d.job, d.record.topic());
          }
        });
  }

  private void putBack(Delivery d, Mark before) {
    mark(d, before);
    d.lane.running--;
    if (d == alone) {
      alone = null;
      suspects.add(0, d);
    } else {
      d.lane.waiting.addFirst(d);
    }
  }

  /** The lane comes before the job's own priority. */
  private Job urgent(Delivery d) {
    Job j = d.job;
    int above = config.lanes().size() - 1 - d.lane.rank;
    int own = Math.max(-LANE_STEP / 2, Math.min(LANE_STEP / 2 - 1, j.priority()));
    return j.withPriority(above * LANE_STEP + own);
  }

  private static final int LANE_STEP = 1_000;

  private Progress earlier(Delivery d) {
    if (d.earlier == null) {
      return null;
    }
    try {
      Progress progress = d.earlier.get();
      if (progress != null) {
        d.resumed = true;
        LOG.info(
            "job {} goes on at {} of {} s, where its last worker was",
            d.job.id(),
            progress.seek() / 100,
            progress.contentFrames() / 100);
      }
      return progress;
    } catch (InterruptedException | ExecutionException e) {
      return null; // best effort
    }
  }

  private JobListener listener(Delivery d) {
    int attempts = attempts(d);
    return new JobListener() {
      @Override
      public void done(JobResult result) {
        outbox.answer(d, result);
      }

      @Override
      public void progressed(Progress progress) {
        d.partial = true;
        partials.publish(d.record, d.job.id(), attempts, progress);
      }
    };
  }

  private Mark mark(Delivery d) {
    return assignment.progressOf(d.ticket).mark(d.ticket.offset());
  }

  private void mark(Delivery d, Mark mark) {
    assignment.progressOf(d.ticket).mark(d.ticket.offset(), mark);
  }

  /** 1 for the first. */
  private int attempts(Delivery d) {
    Mark mark = mark(d);
    return 1 + (mark == null ? 0 : mark.attempts());
  }

  /** The sink has answered: the result is published, or the job is tried again later. */
  @Override
  public void answered(Delivery d, JobResult result) {
    running.remove(d.ticket);
    d.admitted = null;
    d.lane.running--;
    if (d == alone) {
      alone = null;
    }
    if (!assignment.isCurrent(d.ticket)) {
      closed(d);
      return;
    }
    int attempt = attempts(d);
    if (mayPass(result) && d.retries < config.maxRetries()) {
      d.due = System.nanoTime() + (config.retryAfter().toNanos() << d.retries++);
      Mark mark = mark(d);
      mark(d, mark == null ? null : mark.givenBack(d.partial));
      LOG.info(
          "job {} {}: {}; trying again",
          result.job().id(),
          result.errorCode(),
          result.errorMessage());
      enqueue(d);
    } else {
      JobResult told = withReason(d, result);
      metrics.jobEnded(told);
      JobLog.ended(told);
      outbox.result(d, told, attempt);
    }
  }

  /** The sink does not know why it was to cancel. */
  private JobResult withReason(Delivery d, JobResult r) {
    String reason = cancellations.cancelled(d.job.id(), d.record.timestamp());
    return r.status() != JobResult.Status.CANCELLED || reason == null
        ? r
        : new JobResult(
            r.job(), r.status(), null, r.audioSha256(), r.errorCode(), reason, r.timings());
  }

  private static boolean mayPass(JobResult result) {
    return result.status() == JobResult.Status.FAILED && result.errorCode().mayPass();
  }

  /** The result is published. */
  @Override
  public void published(Delivery d) {
    if (d.partial || d.earlier != null) {
      partials.ended(d.job.id());
    }
    closed(d);
  }

  /** Nobody wants it any more, or it is published. */
  @Override
  public void closed(Delivery d) {
    d.lane.bytes -= d.ticket.bytes();
  }

  private void dropLost() {
    for (Lane lane : lanes.all()) {
      lane.waiting.removeIf(this::closeIfLost);
    }
    suspects.removeIf(this::closeIfLost);
  }

  private boolean closeIfLost(Delivery d) {
    if (assignment.isCurrent(d.ticket)) {
      return false;
    }
    closed(d);
    return true;
  }

  /** Ends running jobs that somebody has cancelled. */
  private void cancelOrdered() {
    for (String id = cancellations.poll(); id != null; id = cancellations.poll()) {
      for (Delivery d : List.copyOf(running.values())) {
        if (d.job.id().equals(id) && cancellations.cancelled(id, d.record.timestamp()) != null) {
          d.admitted.cancel();
        }
      }
    }
  }

  /** Ends running jobs whose partition went: their new owner does them. */
  void cancelLost() {
    for (Delivery d : List.copyOf(running.values())) {
      if (!assignment.isCurrent(d.ticket)) {
        d.admitted.cancel();
      }
    }
  }

  /**
   * Clears the marks of jobs whose partitions go in good order.
   *
   * @return what to commit for these partitions
   */
  Map<TopicPartition, OffsetAndMetadata> giveBack(Collection<TopicPartition> partitions) {
    for (Delivery d : running.values()) {
      if (partitions.contains(d.ticket.partition()) && assignment.isCurrent(d.ticket)) {
        Mark mark = mark(d);
        if (mark != null) {
          mark(d, mark.givenBack(d.partial || d.resumed));
        }
      }
    }
    return assignment.toCommitOf(partitions);
  }

  /** Partitions whose lane can't take more, or whose window is at its end. */
  boolean mayFetch(TopicPartition partition) {
    return registry.over() && lanes.mayFetch(lanes.of(partition.topic()));
  }

  /** Jobs that the sink has admitted and not answered. */
  int running() {
    return running.size();
  }

  /** Of records that were delivered and whose result is not published. */
  long bytes() {
    return lanes.bytes();
  }

  boolean idle() {
    return running.isEmpty()
        && suspects.isEmpty()
        && lanes.all().stream().allMatch(l -> l.waiting.isEmpty());
  }
}
