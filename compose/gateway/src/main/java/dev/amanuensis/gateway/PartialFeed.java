package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Segments of jobs under way, for those who stream. Best effort, as the topic is: without it a
 * stream brings all its text at the end.
 */
final class PartialFeed implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PartialFeed.class);

  private final Predicate<String> wanted;
  private final Consumer<Partial> onPartial;
  private final Deserializer<Partial> deserializer;
  private final KafkaConsumer<String, byte[]> consumer;
  private final Thread thread;
  private final CountDownLatch closing = new CountDownLatch(1);

  /**
   * @param wanted whether somebody streams a job
   */
  PartialFeed(KafkaTarget target, Predicate<String> wanted, Consumer<Partial> onPartial) {
    this.wanted = wanted;
    this.onPartial = onPartial;
    this.deserializer = AvroSerdes.deserializer(Partial.class, target.commonConfiguration());
    Map<String, Object> configuration = new HashMap<>(target.commonConfiguration());
    configuration.put("enable.auto.commit", false);
    configuration.put("auto.offset.reset", "latest");
    configuration.put("allow.auto.create.topics", false);
    consumer =
        new KafkaConsumer<>(configuration, new StringDeserializer(), new ByteArrayDeserializer());
    thread = new Thread(this::run, "gateway-partials");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    WantedRecords<Partial> records =
        new WantedRecords<>(wanted, deserializer, onPartial, () -> false); // best effort
    while (closing.getCount() > 0) {
      try {
        if (consumer.assignment().isEmpty() && !assign()) {
          closing.await(1, TimeUnit.SECONDS);
          continue;
        }
        records.handOn(consumer.poll(Duration.ofSeconds(1)));
      } catch (WakeupException | InterruptedException e) {
        // closing
      } catch (RuntimeException e) {
        LOG.warn("reading partial transcripts: {}", e.toString());
      }
    }
    consumer.close();
  }

  private boolean assign() {
    try {
      List<TopicPartition> partitions =
          consumer.partitionsFor(Topics.PARTIAL).stream()
              .map(p -> new TopicPartition(p.topic(), p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToEnd(partitions);
      partitions.forEach(consumer::position);
      return !partitions.isEmpty();
    } catch (WakeupException e) {
      throw e;
    } catch (KafkaException e) {
      LOG.debug("no partial transcripts: {}", e.toString());
      return false;
    }
  }

  @Override
  public void close() {
    closing.countDown();
    consumer.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    deserializer.close();
  }
}
