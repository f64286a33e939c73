package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.serde.RegistryFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.Test;

class WantedRecordsTest {
  private final List<String> read = new ArrayList<>();

  private static ConsumerRecord<String, byte[]> record(String key, String value) {
    return new ConsumerRecord<>(
        "t", 0, 7, key, value == null ? null : value.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.equals("foreign")) {
      throw new SerializationException("no record of ours");
    }
    return text;
  }

  @Test
  void foreignRecordsCostNobodyTheirTranscript() {
    Deserializer<String> deserializer = (topic, bytes) -> text(bytes);
    new WantedRecords<>(key -> key.startsWith("job"), deserializer, read::add, () -> false)
        .handOn(
            List.of(
                record(null, "no key"),
                record("job-1", "foreign"),
                record("job-2", null),
                record("other", "unwanted"),
                record("job-3", "transcript")));
    assertThat(read).containsExactly("transcript");
  }

  @Test
  void readerThatFailsCostsNoOther() {
    Deserializer<String> deserializer = (topic, bytes) -> text(bytes);
    new WantedRecords<String>(
            key -> true,
            deserializer,
            text -> {
              if (text.equals("a")) {
                throw new IllegalStateException("its client is gone");
              }
              read.add(text);
            },
            () -> false)
        .handOn(List.of(record("1", "a"), record("2", "b")));
    assertThat(read).containsExactly("b");
  }

  @Test
  void registryThatIsAwayIsAskedAgain() {
    AtomicInteger failures = new AtomicInteger(2);
    AtomicInteger pauses = new AtomicInteger();
    Deserializer<String> deserializer =
        (topic, bytes) -> {
          if (failures.getAndDecrement() > 0) {
            throw new RegistryFailure(new IOException("connection refused"));
          }
          return text(bytes);
        };
    new WantedRecords<>(key -> true, deserializer, read::add, () -> pauses.incrementAndGet() > 0)
        .handOn(List.of(record("1", "a"), record("2", "b")));
    assertThat(read).containsExactly("a", "b");
    assertThat(pauses).hasValue(2);
  }
}
