package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records on their way into the sink: delivered, decoded, admitted, and counted until their result
 * is published. Belongs to the loop thread.
 */
final class Intake {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

  /** A record that was delivered and is not admitted yet. */
  private record Waiting(ConsumerRecord<byte[], byte[]> record, Ticket ticket) {}

  private final Assignment assignment;
  private final JobSink sink;
  private final Outbox outbox;
  private final Deserializer<AudioJob> deserializer;
  private final WorkerMetrics metrics;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final Map<Ticket, AdmittedJob> running = new HashMap<>();
  private final Backoff registry = new Backoff(Duration.ofMillis(100));
  private long bytes;
  private boolean refused;

  Intake(
      Assignment assignment,
      JobSink sink,
      Outbox outbox,
      Deserializer<AudioJob> deserializer,
      WorkerMetrics metrics) {
    this.assignment = assignment;
    this.sink = sink;
    this.outbox = outbox;
    this.deserializer = deserializer;
    this.metrics = metrics;
  }

  /** Notes what was delivered; what a predecessor has done already is skipped. */
  void take(ConsumerRecords<byte[], byte[]> records) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Assignment.Held held = assignment.get(new TopicPartition(record.topic(), record.partition()));
      if (held != null && held.progress().begin(record.offset())) {
        Waiting next = new Waiting(record, Ticket.of(record, held.epoch()));
        waiting.add(next);
        bytes += next.ticket().bytes();
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

  /** Hands over what the sink takes, in order of arrival. */
  void admit() {
    if (!registry.over()) {
      return;
    }
    refused = false;
    for (Iterator<Waiting> i = waiting.iterator(); i.hasNext() && !refused; ) {
      Waiting next = i.next();
      if (!assignment.isCurrent(next.ticket())) {
        i.remove();
        closed(next.ticket());
      } else if (assignment.progressOf(next.ticket()).fits(next.ticket().offset())) {
        refused = !admit(next);
        if (!refused) {
          i.remove();
        }
      }
    }
  }

  private boolean admit(Waiting next) {
    ConsumerRecord<byte[], byte[]> record = next.record();
    Ticket ticket = next.ticket();
    Job job;
    try {
      job =
          JobDecoder.decode(deserializer.deserialize(record.topic(), record.value()))
              .inTrace(TraceParent.traceId(record.headers()));
      registry.succeeded();
    } catch (RegistryFailure e) {
      LOG.warn("{}; trying again", e.getMessage());
      registry.failed();
      metrics.retried(WorkerMetrics.Retry.REGISTRY);
      return false;
    } catch (RuntimeException e) {
      // Whatever decoding throws, the next record must not wait for this one.
      LOG.warn("{}@{} is no job: {}", ticket.partition(), ticket.offset(), e.getMessage());
      outbox.undecodable(ticket, record, e);
      return true;
    }
    AdmittedJob admitted = sink.tryAdmit(job, null, result -> outbox.answer(ticket, result));
    if (admitted == null) {
      return false;
    }
    metrics.jobAdmitted(job, record.topic());
    running.put(ticket, admitted);
    return true;
  }

  /** The sink has answered. */
  void answered(Ticket ticket) {
    running.remove(ticket);
  }

  /** The result is published, or nobody wants it any more. */
  void closed(Ticket ticket) {
    bytes -= ticket.bytes();
  }

  /** Ends running jobs whose partition went: their new owner does them. */
  void cancelLost() {
    running.forEach(
        (ticket, admitted) -> {
          if (!assignment.isCurrent(ticket)) {
            admitted.cancel();
          }
        });
  }

  /** Jobs that the sink has admitted and not answered. */
  int running() {
    return running.size();
  }

  /** Of records that were delivered and whose result is not published. */
  long bytes() {
    return bytes;
  }

  /** Whether nothing more can be admitted for the moment. */
  boolean blocked() {
    return refused || !registry.over();
  }

  boolean idle() {
    return waiting.isEmpty() && running.isEmpty();
  }
}
