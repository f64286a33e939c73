package dev.amanuensis.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddedBrokerIT {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"consumer", "classic"})
  void committedRecordsAreReadByAGroupAndAbortedOnesAreNot(String protocol) throws Exception {
    try (EmbeddedBroker broker = new EmbeddedBroker(directory, 0)) {
      broker.start();
      broker.createTopics(Map.of("t", 2), Map.of());
      try (KafkaProducer<String, String> producer = producer(broker, "tx")) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("t", "a", "aborted"));
        producer.abortTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("t", "a", "committed"));
        producer.commitTransaction();
      }
      assertThat(read(broker, protocol, 1)).containsExactly("committed");
    }
  }

  @Test
  void metadataLogThatSomebodyElseCutIsAFailure() throws Exception {
    try (EmbeddedBroker broker = new EmbeddedBroker(directory, 0)) {
      broker.start();
      assertThat(broker.failure()).isNull();
      Path log = directory.resolve("__cluster_metadata-0/00000000000000000000.log");
      try (FileChannel channel = FileChannel.open(log, StandardOpenOption.WRITE)) {
        channel.truncate(0);
      }
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (broker.failure() == null) { // it notices when it next writes by itself
        assertThat(System.nanoTime()).as("waited for the failure").isLessThan(deadline);
        Thread.sleep(50);
      }
      assertThat(broker.failure()).hasMessageContaining("raft");
    }
  }

  @Test
  void restartKeepsTopicsAndRecords() throws Exception {
    try (EmbeddedBroker broker = new EmbeddedBroker(directory, 0)) {
      broker.start();
      broker.createTopics(Map.of("t", 1), Map.of());
      try (KafkaProducer<String, String> producer = producer(broker, null)) {
        producer.send(new ProducerRecord<>("t", "kept")).get();
      }
    }
    long started = System.nanoTime();
    try (EmbeddedBroker broker = new EmbeddedBroker(directory, 0)) {
      broker.start();
      System.out.printf("restart took %d ms%n", (System.nanoTime() - started) / 1_000_000);
      broker.createTopics(Map.of("t", 1), Map.of());
      assertThat(read(broker, "consumer", 1)).containsExactly("kept");
    }
  }

  @Test
  void foreignFolderIsRefusedAndLeftAlone() throws Exception {
    Path file = Files.writeString(directory.resolve("thesis.txt"), "mine");
    EmbeddedBroker broker = new EmbeddedBroker(directory, 0);
    assertThatThrownBy(broker::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("empty folder");
    assertThat(Files.list(directory)).containsExactly(file);
  }

  @Test
  void takenPortIsNamed() throws Exception {
    try (EmbeddedBroker first = new EmbeddedBroker(directory.resolve("a"), 0)) {
      first.start();
      int port = Integer.parseInt(first.bootstrapServers().split(":")[1]);
      EmbeddedBroker second = new EmbeddedBroker(directory.resolve("b"), port);
      assertThatThrownBy(second::start)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("port " + port);
    }
  }

  private static KafkaProducer<String, String> producer(EmbeddedBroker broker, String id) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", broker.bootstrapServers());
    if (id != null) {
      config.put("transactional.id", id);
    }
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  private static List<String> read(EmbeddedBroker broker, String protocol, int count) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", broker.bootstrapServers());
    config.put("group.id", "g-" + protocol);
    config.put("group.protocol", protocol);
    config.put("auto.offset.reset", "earliest");
    config.put("isolation.level", "read_committed");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of("t"));
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (values.size() < count && System.nanoTime() < end) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(100))) {
          values.add(r.value());
        }
      }
      consumer.poll(Duration.ofMillis(300)).forEach(r -> values.add(r.value()));
    }
    return values;
  }
}
