package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all partitions of the topic of transcripts, committed results only, without a group. One
 * thread uses it.
 */
public final class TranscriptReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TranscriptReader.class);

  private final KafkaTarget target;
  private final Duration timeout;
  private final KafkaConsumer<String, byte[]> consumer;
  private final Deserializer<Transcript> deserializer;

  /**
   * @param timeout of every call but poll
   */
  public TranscriptReader(KafkaTarget target, Duration timeout) throws CliException {
    this.target = target;
    this.timeout = timeout;
    Map<String, Object> configuration = target.commonConfiguration();
    configuration.put("isolation.level", "read_committed");
    configuration.put("enable.auto.commit", false);
    configuration.put("auto.offset.reset", "earliest");
    configuration.put("allow.auto.create.topics", false);
    configuration.put("default.api.timeout.ms", (int) timeout.toMillis());
    try {
      deserializer = AvroSerdes.deserializer(Transcript.class, configuration);
      consumer =
          new KafkaConsumer<>(configuration, new StringDeserializer(), new ByteArrayDeserializer());
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /** Reads what is published from now on. When this returns, nothing later can be missed. */
  public void seekToEnd() throws CliException {
    assign();
    try {
      consumer.seekToEnd(consumer.assignment());
      consumer.assignment().forEach(consumer::position); // seeking alone is lazy
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /** Reads all that is there. */
  public void seekToBeginning() throws CliException {
    assign();
    consumer.seekToBeginning(consumer.assignment());
  }

  /** What arrived, at most after the given wait. */
  public List<Outcome> poll(Duration wait) throws CliException, InterruptedException {
    List<Outcome> outcomes = new ArrayList<>();
    try {
      for (ConsumerRecord<String, byte[]> record : consumer.poll(wait)) {
        Outcome outcome = decode(record);
        if (outcome != null) {
          outcomes.add(outcome);
        }
      }
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
    return outcomes;
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ZERO));
    deserializer.close();
  }

  private Outcome decode(ConsumerRecord<String, byte[]> record) throws CliException {
    if (record.value() == null) {
      return null; // a tombstone of the compacted topic
    }
    try {
      return Outcomes.of(deserializer.deserialize(record.topic(), record.value()));
    } catch (KafkaException e) {
      if (KafkaFailures.registryUnreachable(e)) {
        throw KafkaFailures.explain(e, target, timeout);
      }
      // Not ours to repair; one foreign record must not end the reading of all others.
      LOG.warn(
          "{}-{}@{} holds no transcript: {}",
          record.topic(),
          record.partition(),
          record.offset(),
          e.getMessage());
      return null;
    }
  }

  private void assign() throws CliException {
    try {
      List<TopicPartition> partitions = new ArrayList<>();
      for (PartitionInfo info : consumer.partitionsFor(target.transcriptsTopic())) {
        partitions.add(new TopicPartition(info.topic(), info.partition()));
      }
      if (partitions.isEmpty()) {
        throw new CliException(
            ExitCodes.UNREACHABLE,
            "Kafka at "
                + target.bootstrapServers()
                + " has no topic "
                + target.transcriptsTopic()
                + "; create it, or name another with --transcripts-topic");
      }
      consumer.assign(partitions);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }
}
