package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Partials;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /** That a rebalance waits for native calls, which nothing can interrupt, to return. */
  private static final Duration LET_GO = Duration.ofSeconds(2);

  /** Commits progress outside transactions. */
  interface Committer {
    /** False if it can't be done now; nothing is thrown. */
    boolean commit(Map<TopicPartition, OffsetAndMetadata> progress);

    /** Whether that of this topic is refused: the commit of others must not fail with it. */
    boolean refuses(String topic);
  }

  private final IntakeConfig config;
  private final Assignment assignment;
  private final JobSink sink;
  private final Outbox outbox;
  private final Cancellations cancellations;
  private final Partials partials;
  private final WorkerMetrics metrics;
  private final Lanes lanes;
  private final Preparation preparation;
  private final Handover handover;
  private final Backlog backlog;
  private final Map<Ticket, Delivery> running = new LinkedHashMap<>();
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
      Trials trials,
      WorkerMetrics metrics) {
    this.config = config;
    this.assignment = assignment;
    this.sink = sink;
    this.outbox = outbox;
    this.cancellations = cancellations;
    this.partials = partials;
    this.metrics = metrics;
    this.lanes = new Lanes(config.lanes(), config.maxJobs(), config.maxBytesInFlight());
    this.backlog = new Backlog(assignment, lanes, metrics);
    this.preparation =
        new Preparation(
            config, assignment, outbox, deserializer, cancellations, partials, trials, metrics);
    this.handover = new Handover(config, assignment, sink, outbox, partials);
  }

  /** Notes what was delivered; what a predecessor has done already is skipped. */
  void take(ConsumerRecords<byte[], byte[]> records) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Assignment.Held held = assignment.get(new TopicPartition(record.topic(), record.partition()));
      if (held != null && held.progress().begin(record.offset())) {
        Delivery d =
            new Delivery(record, Ticket.of(record, held.epoch()), lanes.of(record.topic()));
        d.lane.bytes += d.ticket.bytes();
        backlog.add(d);
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

  /** Hands over what the sink takes. */
  void admit(Committer committer) {
    cancelOrdered();
    backlog.dropLost(this::closed);
    backlog.releaseDue();
    if (cancellations.caughtUp()) {
      backlog.settle(preparation);
    }
    if (!preparation.ready() || !broker.over() || !cancellations.caughtUp() || alone != null) {
      return;
    }
    if (backlog.suspects.stream().allMatch(d -> later(d, committer))) {
      start(choose(committer), committer);
    } else if (running.isEmpty() && sink.inFlight() == 0) {
      Delivery suspect = nextSuspect(committer);
      if (suspect != null) {
        alone = suspect;
        start(List.of(suspect), committer);
      }
    }
  }

  /** It is tried again after a pause, tried elsewhere or refused: nobody waits for that. */
  private static boolean later(Delivery d, Committer committer) {
    return d.due - System.nanoTime() > 0
        || (d.trial != null && !d.trial.isDone())
        || committer.refuses(d.record.topic());
  }

  /** Those with the fewest attempts first: the innocent are not to wait for the culprit. */
  private Delivery nextSuspect(Committer committer) {
    backlog.suspects.sort(Comparator.comparingInt(d -> assignment.mark(d.ticket).attempts()));
    for (Iterator<Delivery> i = backlog.suspects.iterator(); i.hasNext(); ) {
      Delivery d = i.next();
      Preparation.Next next = later(d, committer) ? Preparation.Next.WAIT : preparation.prepare(d);
      if (next == Preparation.Next.STOP) {
        return null;
      }
      if (next != Preparation.Next.WAIT) {
        i.remove();
      }
      if (next == Preparation.Next.START) {
        d.lane.running++;
        return d;
      }
    }
    return null;
  }

  private List<Delivery> choose(Committer committer) {
    List<Delivery> chosen = new ArrayList<>();
    Set<Lane> blocked = new HashSet<>();
    lanes.all().stream().filter(l -> committer.refuses(l.config.topic())).forEach(blocked::add);
    while (preparation.ready()) {
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
      if (!progress.fits(d.ticket.offset())
          || !progress.takesMark(d.ticket.offset(), marksToCome(d, chosen))) {
        continue;
      }
      switch (preparation.prepare(d)) {
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

  /** Marks records as started, and admits them once that is committed. */
  private void start(List<Delivery> chosen, Committer committer) {
    if (chosen.isEmpty()) {
      return;
    }
    Map<Delivery, Mark> before = new LinkedHashMap<>();
    for (Delivery d : chosen) {
      Mark mark = assignment.mark(d.ticket);
      before.put(d, mark);
      assignment.mark(
          d.ticket, d == alone ? new Mark(Mark.State.ALONE, mark.attempts()) : Mark.STARTED);
    }
    if (!committer.commit(assignment.toCommit(chosen.stream().map(d -> d.ticket).toList()))) {
      broker.failed();
      before.forEach(this::putBack);
      return;
    }
    broker.succeeded();
    before.forEach(
        (d, mark) -> {
          if (!handover.tryAdmit(d)) {
            putBack(d, mark);
          } else {
            running.put(d.ticket, d);
            metrics.jobAdmitted(d.job, d.record.topic());
          }
        });
  }

  private void putBack(Delivery d, Mark before) {
    assignment.mark(d.ticket, before);
    d.lane.running--;
    if (d == alone) {
      alone = null;
      backlog.suspects.add(0, d);
    } else {
      d.lane.waiting.addFirst(d);
    }
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
    int attempt = assignment.attempt(d.ticket);
    if (result.mayPass() && d.retries < config.maxRetries()) {
      d.due = System.nanoTime() + config.retryAfter(d.retries++).toNanos();
      Mark mark = assignment.mark(d.ticket);
      assignment.mark(d.ticket, mark == null ? null : mark.givenBack(d.partial));
      LOG.info(
          "job {} {}: {}; trying again",
          result.job().id(),
          result.errorCode(),
          result.errorMessage());
      backlog.retry(d);
    } else {
      outbox.result(d, withReason(d, result), attempt);
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
   * Ends the jobs whose partitions go in good order and clears their marks, but not of what no
   * thread lets go of in time: if that takes this process down, their successor must know.
   *
   * @return what to commit for these partitions
   */
  Map<TopicPartition, OffsetAndMetadata> giveBack(Collection<TopicPartition> partitions) {
    List<Delivery> going =
        running.values().stream()
            .filter(d -> partitions.contains(d.ticket.partition()))
            .filter(d -> assignment.isCurrent(d.ticket))
            .toList();
    going.forEach(d -> d.admitted.cancel());
    awaitEnd(going);
    for (Delivery d : going) {
      Mark mark = assignment.mark(d.ticket);
      if (mark != null && !d.admitted.atWork()) {
        assignment.mark(d.ticket, mark.givenBack(d.partial || d.resumed));
      }
    }
    return assignment.toCommitOf(partitions);
  }

  private static void awaitEnd(List<Delivery> jobs) {
    long until = System.nanoTime() + LET_GO.toNanos();
    try {
      while (jobs.stream().anyMatch(d -> d.admitted.atWork()) && System.nanoTime() - until < 0) {
        Thread.sleep(5);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody interrupts this thread; what works is still told
    }
  }

  /** Partitions whose lane can't take more, or whose window is at its end. */
  boolean mayFetch(TopicPartition partition) {
    return preparation.ready() && lanes.mayFetch(lanes.of(partition.topic()));
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
    return running.isEmpty() && backlog.empty();
  }
}
