package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.schema.Action;
import dev.amanuensis.schema.JobControl;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Deserializer;

/** Finds out from the topics what became of a job. */
public final class JobHistory {
  /** Clocks differ: an id that tells its time is looked for from somewhat earlier on. */
  private static final Duration SLACK = Duration.ofHours(1);

  private static final int UUID_TIME_ORDERED = 7;

  private final KafkaTarget target;
  private final Duration timeout;
  private final Map<String, Object> configuration;

  /** Where a job stands. */
  public enum State {
    UNKNOWN,
    SUBMITTED,
    RUNNING,
    COMPLETED,
    FAILED,
    EXPIRED,
    CANCELLED
  }

  public JobHistory(KafkaTarget target, Duration timeout) {
    this.target = target;
    this.timeout = timeout;
    this.configuration = target.commonConfiguration();
  }

  /** What the topics say of one job. Where its id was submitted twice, the last result counts. */
  public JobStatus of(String id) throws CliException, InterruptedException {
    JobStatus status = new JobStatus(id);
    Instant since = since(id);
    try (Deserializer<Transcript> transcripts = deserializer(Transcript.class);
        Deserializer<Partial> partials = deserializer(Partial.class);
        Deserializer<JobControl> controls = deserializer(JobControl.class);
        TopicScan scan = new TopicScan(target, timeout)) {
      scan.visit(
          lanes(),
          since,
          record -> {
            if (id.equals(record.key())) {
              status.submitted(record.topic(), Instant.ofEpochMilli(record.timestamp()));
            }
          });
      scan.visit(
          List.of(Topics.PARTIAL),
          since,
          record -> {
            Partial partial = value(id, record, partials);
            if (partial != null) {
              status.partial(partial);
            }
          });
      scan.visit(
          List.of(Topics.CONTROL),
          since,
          record -> {
            JobControl control = value(id, record, controls);
            if (control != null && control.getAction() == Action.CANCEL) {
              status.cancelRequested(control.getRequestedAt());
            }
          });
      scan.visit(
          List.of(target.transcriptsTopic()),
          since,
          record -> {
            Transcript transcript = value(id, record, transcripts);
            if (transcript != null) {
              status.result(transcript);
            }
          });
      scan.visit(
          List.of(Topics.DLQ),
          since,
          record -> {
            if (id.equals(record.key()) && record.value() != null) {
              status.deadLetter(record.partition() + ":" + record.offset());
            }
          });
    }
    return status;
  }

  private List<String> lanes() {
    return Stream.of(Lane.values()).map(lane -> lane.topic(target.jobsTopic())).toList();
  }

  /** The deserializer is the topic's; a record of another key or of another kind is null. */
  private <T> T value(String id, ConsumerRecord<String, byte[]> record, Deserializer<T> reader)
      throws CliException {
    if (!id.equals(record.key()) || record.value() == null) {
      return null;
    }
    try {
      return reader.deserialize(record.topic(), record.value());
    } catch (KafkaException e) {
      if (KafkaFailures.registryUnreachable(e)) {
        throw KafkaFailures.explain(e, target, timeout);
      }
      return null;
    }
  }

  private <T extends SpecificRecord> Deserializer<T> deserializer(Class<T> type) {
    return AvroSerdes.deserializer(type, configuration);
  }

  /** From when on to look: our own ids tell when they were made, others don't. */
  static Instant since(String id) {
    try {
      UUID uuid = UUID.fromString(id);
      return uuid.version() == UUID_TIME_ORDERED
          ? Instant.ofEpochMilli(uuid.getMostSignificantBits() >>> 16).minus(SLACK)
          : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
