package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's clients as our commands want them; their failures in the words of the command line. */
final class Clients {
  private Clients() {}

  static Admin admin(KafkaTarget target, Duration timeout) throws CliException {
    Map<String, Object> c = target.commonConfiguration();
    c.put("request.timeout.ms", (int) timeout.toMillis());
    c.put("default.api.timeout.ms", (int) timeout.toMillis());
    try {
      return Admin.create(c);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  static Producer<String, byte[]> producer(KafkaTarget target, Duration timeout)
      throws CliException {
    try {
      return new KafkaProducer<>(
          target.producerConfiguration(timeout), new StringSerializer(), new ByteArraySerializer());
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /** Without a group; committed records only. */
  static Consumer<String, byte[]> consumer(KafkaTarget target, Duration timeout)
      throws CliException {
    Map<String, Object> c = target.commonConfiguration();
    c.put("isolation.level", "read_committed");
    c.put("enable.auto.commit", false);
    c.put("auto.offset.reset", "earliest");
    c.put("allow.auto.create.topics", false);
    c.put("default.api.timeout.ms", (int) timeout.toMillis());
    try {
      return new KafkaConsumer<>(c, new StringDeserializer(), new ByteArrayDeserializer());
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /** None if there is no such topic. */
  static List<TopicPartition> partitions(Consumer<?, ?> consumer, String topic) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (PartitionInfo info : consumer.partitionsFor(topic)) {
      partitions.add(new TopicPartition(info.topic(), info.partition()));
    }
    return partitions;
  }
}
