package dev.amanuensis.gateway;

import dev.amanuensis.schema.serde.RegistryFailure;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes the records that somebody waits for and hands them on, one by one: a foreign record costs
 * no other its reader. One thread uses it.
 */
final class WantedRecords<T> {
  private static final Logger LOG = LoggerFactory.getLogger(WantedRecords.class);

  private final Predicate<String> wanted;
  private final Deserializer<T> deserializer;
  private final Consumer<T> reader;
  private final BooleanSupplier pause;

  /**
   * @param wanted whether somebody waits for a job
   * @param pause waits before the registry is asked again; false to give up, since we end
   */
  WantedRecords(
      Predicate<String> wanted,
      Deserializer<T> deserializer,
      Consumer<T> reader,
      BooleanSupplier pause) {
    this.wanted = wanted;
    this.deserializer = deserializer;
    this.reader = reader;
    this.pause = pause;
  }

  void handOn(Iterable<ConsumerRecord<String, byte[]>> records) {
    for (ConsumerRecord<String, byte[]> record : records) {
      if (record.key() != null && record.value() != null && wanted.test(record.key())) {
        handOn(record);
      }
    }
  }

  private void handOn(ConsumerRecord<String, byte[]> record) {
    while (true) {
      try {
        reader.accept(deserializer.deserialize(record.topic(), record.value()));
        return;
      } catch (RegistryFailure e) { // the record may be fine, and somebody waits for it
        LOG.warn("reading {}: {}", place(record), e.getMessage());
        if (!pause.getAsBoolean()) {
          return;
        }
      } catch (RuntimeException e) {
        LOG.warn("{} can't be handed on: {}", place(record), e.toString());
        return;
      }
    }
  }

  static String place(ConsumerRecord<?, ?> record) {
    return record.topic() + "-" + record.partition() + "@" + record.offset();
  }
}
