package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.format.TranscriptDocument;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Follows the segments of long jobs as they become final. One thread uses it. */
public final class PartialReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PartialReader.class);

  private final KafkaTarget target;
  private final Duration timeout;
  private final Consumer<String, byte[]> consumer;
  private final Deserializer<Partial> deserializer;

  /** Segments already handed out, by job; a record carries all from the first on. */
  private final Map<String, Integer> seen = new HashMap<>();

  /**
   * Segments that became final.
   *
   * @param doneSeconds of the file
   * @param durationSeconds of the file
   */
  public record News(
      String jobId,
      int attempt,
      List<TranscriptDocument.Segment> segments,
      double doneSeconds,
      double durationSeconds) {
    public News {
      segments = List.copyOf(segments);
    }
  }

  /** Reads from the present end on. */
  public PartialReader(KafkaTarget target, Duration timeout) throws CliException {
    this.target = target;
    this.timeout = timeout;
    this.deserializer = AvroSerdes.deserializer(Partial.class, target.commonConfiguration());
    this.consumer = Clients.consumer(target, timeout);
    try {
      List<TopicPartition> partitions = Clients.partitions(consumer, Topics.PARTIAL);
      if (partitions.isEmpty()) {
        throw new CliException(
            ExitCodes.UNREACHABLE,
            "Kafka at %s has no topic %s, which --follow reads; 'amanuensis topics create' makes it"
                .formatted(target.bootstrapServers(), Topics.PARTIAL));
      }
      consumer.assign(partitions);
      consumer.seekToEnd(consumer.assignment());
      consumer.assignment().forEach(consumer::position);
    } catch (CliException e) {
      close();
      throw e;
    } catch (KafkaException e) {
      close();
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /** What is new, at most after the given wait. */
  public List<News> poll(Duration wait) throws CliException, InterruptedException {
    List<News> news = new ArrayList<>();
    try {
      for (ConsumerRecord<String, byte[]> record : consumer.poll(wait)) {
        if (record.value() == null) {
          seen.remove(record.key());
        } else {
          Partial partial = read(record);
          if (partial != null) {
            add(partial, news);
          }
        }
      }
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
    return news;
  }

  /** Null for what is no partial transcript: one foreign record must not end all others. */
  private Partial read(ConsumerRecord<String, byte[]> record) {
    try {
      return deserializer.deserialize(record.topic(), record.value());
    } catch (KafkaException e) {
      if (KafkaFailures.registryUnreachable(e)) {
        throw e;
      }
      LOG.warn(
          "{}-{}@{} holds no partial transcript: {}",
          record.topic(),
          record.partition(),
          record.offset(),
          e.getMessage());
      return null;
    }
  }

  /** A successor's records repeat what its predecessor's had. */
  private void add(Partial partial, List<News> news) {
    int from = seen.getOrDefault(partial.getJobId(), 0);
    int to = partial.getSegments().size();
    if (to <= from) {
      return;
    }
    seen.put(partial.getJobId(), to);
    news.add(
        new News(
            partial.getJobId(),
            partial.getAttempt(),
            partial.getSegments().subList(from, to).stream()
                .map(s -> Outcomes.segment(s, !s.getWords().isEmpty()))
                .toList(),
            partial.getSeek() / 100.0,
            partial.getContentFrames() / 100.0));
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ZERO));
    deserializer.close();
  }
}
