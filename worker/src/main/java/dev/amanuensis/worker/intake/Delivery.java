package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.Progress;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A record on its way from its delivery to its published result. Belongs to the loop thread. */
final class Delivery {
  final ConsumerRecord<byte[], byte[]> record;
  final Ticket ticket;
  final Lane lane;

  /** Null until it is decoded. */
  Job job;

  /** Null until a predecessor's progress was asked for. */
  Future<Progress> earlier;

  /** Null until its last attempt began elsewhere; true: that process survived. */
  Future<Boolean> trial;

  /** Whether the trial was survived: its last attempt is made here. */
  boolean harmless;

  /** Whether it goes on where a predecessor was. */
  boolean resumed;

  /** Null while it is not in the sink. */
  AdmittedJob admitted;

  /** Times that it failed here and was tried again. */
  int retries;

  /** Not before then, by System.nanoTime. */
  long due = System.nanoTime();

  /** Null until its result spoilt a transaction of its own: when it may be tried again. */
  Backoff spoilt;

  /** Whether a partial transcript of it was handed over to be published. Set by any thread. */
  volatile boolean partial;

  Delivery(ConsumerRecord<byte[], byte[]> record, Ticket ticket, Lane lane) {
    this.record = record;
    this.ticket = ticket;
    this.lane = lane;
  }
}
