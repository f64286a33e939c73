package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Committed transcripts, read from all partitions without a group, so that any number of gateways
 * runs side by side. Only what somebody waits for is decoded.
 */
final class TranscriptFeed implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TranscriptFeed.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long RETRY_MILLIS = 1000;

  private final KafkaTarget target;
  private final Predicate<String> wanted;
  private final Consumer<Transcript> onTranscript;
  private final Deserializer<Transcript> deserializer;
  private final KafkaConsumer<String, byte[]> consumer;
  private final Thread thread;
  private volatile boolean closing;

  /**
   * Positioned at the end when this returns: what is submitted later can't be missed.
   *
   * @param wanted whether somebody waits for a job
   */
  TranscriptFeed(KafkaTarget target, Predicate<String> wanted, Consumer<Transcript> onTranscript) {
    this.target = target;
    this.wanted = wanted;
    this.onTranscript = onTranscript;
    this.deserializer = AvroSerdes.deserializer(Transcript.class, target.commonConfiguration());
    this.consumer = consumer(target);
    try {
      consumer.assign(partitions(consumer, target));
      consumer.seekToEnd(consumer.assignment());
      consumer.assignment().forEach(consumer::position); // seeking alone is lazy
    } catch (RuntimeException e) {
      consumer.close();
      throw e;
    }
    thread = new Thread(this::run, "gateway-transcripts");
    thread.setDaemon(true);
    thread.start();
  }

  private static KafkaConsumer<String, byte[]> consumer(KafkaTarget target) {
    Map<String, Object> configuration = new HashMap<>(target.commonConfiguration());
    configuration.put("isolation.level", "read_committed");
    configuration.put("enable.auto.commit", false);
    configuration.put("auto.offset.reset", "earliest");
    configuration.put("allow.auto.create.topics", false);
    return new KafkaConsumer<>(
        configuration, new StringDeserializer(), new ByteArrayDeserializer());
  }

  private static List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, KafkaTarget target) {
    List<TopicPartition> partitions =
        consumer.partitionsFor(target.transcriptsTopic()).stream()
            .map(p -> new TopicPartition(p.topic(), p.partition()))
            .toList();
    if (partitions.isEmpty()) {
      throw new KafkaException("there is no topic " + target.transcriptsTopic());
    }
    return partitions;
  }

  private void run() {
    WantedRecords<Transcript> records =
        new WantedRecords<>(wanted, deserializer, onTranscript, this::pause);
    while (!closing) {
      try {
        records.handOn(consumer.poll(POLL));
      } catch (WakeupException e) {
        // closing
      } catch (KafkaException e) {
        LOG.warn("reading transcripts: {}", e.toString());
        pause();
      }
    }
    consumer.close();
  }

  /** False once we end. */
  private boolean pause() {
    try {
      Thread.sleep(RETRY_MILLIS);
    } catch (InterruptedException e) {
      closing = true;
    }
    return !closing;
  }

  /**
   * Looks a result up that was published between two times; null if there is none. The last one
   * counts. Reads all that was published meanwhile: for now and then, not for polling.
   */
  Transcript find(String jobId, long sinceMillis, long untilMillis) {
    Transcript found = null;
    try (KafkaConsumer<String, byte[]> search = consumer(target)) {
      List<TopicPartition> partitions = partitions(search, target);
      search.assign(partitions);
      Map<TopicPartition, Long> ends = offsets(search, partitions, untilMillis);
      offsets(search, partitions, sinceMillis).forEach(search::seek);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (partitions.stream().anyMatch(p -> search.position(p) < ends.get(p))) {
        for (ConsumerRecord<String, byte[]> record : search.poll(Duration.ofMillis(200))) {
          if (jobId.equals(record.key()) && record.value() != null) {
            found = decoded(record, found);
          }
        }
        if (System.nanoTime() > deadline) {
          throw ApiException.of(504, "timeout", "looking the result up took too long");
        }
      }
    }
    return found;
  }

  /** A foreign record with our key hides no transcript. */
  private Transcript decoded(ConsumerRecord<String, byte[]> record, Transcript otherwise) {
    try {
      return deserializer.deserialize(record.topic(), record.value());
    } catch (RegistryFailure e) {
      throw e;
    } catch (SerializationException e) {
      LOG.warn("{} holds no transcript: {}", WantedRecords.place(record), e.getMessage());
      return otherwise;
    }
  }

  /** The first offsets of a time and later: the ends where there is nothing later. */
  private static Map<TopicPartition, Long> offsets(
      KafkaConsumer<?, ?> search, List<TopicPartition> partitions, long millis) {
    Map<TopicPartition, Long> offsets = new HashMap<>(search.endOffsets(partitions));
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(p -> times.put(p, millis));
    for (Map.Entry<TopicPartition, OffsetAndTimestamp> e :
        search.offsetsForTimes(times).entrySet()) {
      if (e.getValue() != null) {
        offsets.put(e.getKey(), e.getValue().offset());
      }
    }
    return offsets;
  }

  @Override
  public void close() {
    closing = true;
    consumer.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    deserializer.close();
  }
}
