package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.publish.Partials;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What comes before a record's work: it is decoded, what needs no work is answered, and what a
 * predecessor has done of it is asked for. Belongs to the loop thread.
 */
final class Preparation {
  private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

  /** What is to be done with a delivered record now. */
  enum Next {
    START,
    WAIT,
    /** It has its result. */
    ANSWERED,
    /** Nothing can be decoded for the moment. */
    STOP
  }

  private final IntakeConfig config;
  private final Assignment assignment;
  private final Outbox outbox;
  private final Deserializer<AudioJob> deserializer;
  private final Cancellations cancellations;
  private final Partials partials;
  private final Trials trials;
  private final WorkerMetrics metrics;
  private final Backoff registry = new Backoff(Duration.ofMillis(100));

  Preparation(
      IntakeConfig config,
      Assignment assignment,
      Outbox outbox,
      Deserializer<AudioJob> deserializer,
      Cancellations cancellations,
      Partials partials,
      Trials trials,
      WorkerMetrics metrics) {
    this.config = config;
    this.assignment = assignment;
    this.outbox = outbox;
    this.deserializer = deserializer;
    this.cancellations = cancellations;
    this.partials = partials;
    this.trials = trials;
    this.metrics = metrics;
  }

  /** Whether records can be decoded: false for a while after the registry failed. */
  boolean ready() {
    return registry.over();
  }

  /** Decodes a record, and answers it if it needs no work: it is no job, cancelled or late. */
  Next settle(Delivery d) {
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
    String cancelled = cancellations.cancelled(d.job.id(), d.record.timestamp());
    if (cancelled != null) {
      return answer(d, JobResult.Status.CANCELLED, ErrorCode.CANCELLED, cancelled);
    }
    if (d.job.deadline() != null && Instant.now().isAfter(d.job.deadline())) {
      String message = "the deadline %s passed before work began".formatted(d.job.deadline());
      return answer(d, JobResult.Status.EXPIRED, ErrorCode.DEADLINE_EXCEEDED, message);
    }
    return Next.START;
  }

  /** Settles a record, and finds out whether and from where its work can begin. */
  Next prepare(Delivery d) {
    Next settled = settle(d);
    if (settled != Next.START) {
      return settled;
    }
    Mark mark = assignment.mark(d.ticket);
    if (mark != null
        && mark.suspect()
        && mark.attempts() == config.maxAttempts() - 1
        && !d.harmless) {
      if (d.trial == null) {
        d.trial = trials.start(d.record.value());
        LOG.warn("job {}: its last attempt begins in a process of its own", d.job.id());
      }
      if (!d.trial.isDone()) {
        return Next.WAIT;
      }
      if (survived(d.trial)) {
        d.harmless = true;
        LOG.warn("job {} was no danger to that process: its attempt is made here", d.job.id());
      } else {
        mark = mark.lostAlone();
        assignment.mark(d.ticket, mark);
      }
    }
    if (mark != null && mark.attempts() >= config.maxAttempts()) {
      String message =
          "%d processes were lost while they did this job and nothing else"
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

  private static boolean survived(Future<Boolean> trial) {
    try {
      return trial.get();
    } catch (InterruptedException | ExecutionException e) {
      return true; // nothing was shown
    }
  }

  private Next answer(Delivery d, JobResult.Status status, ErrorCode code, String message) {
    JobResult result = new JobResult(d.job, status, null, null, code, message, Map.of());
    outbox.result(d, result, assignment.attempt(d.ticket));
    return Next.ANSWERED;
  }
}
