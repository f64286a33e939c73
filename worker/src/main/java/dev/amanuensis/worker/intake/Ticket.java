package dev.amanuensis.worker.intake;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Names a record as delivered under one assignment of its partition.
 *
 * @param epoch of the partition's assignment under which it was delivered
 * @param bytes of its value
 */
record Ticket(TopicPartition partition, long offset, long epoch, int bytes) {
  static Ticket of(ConsumerRecord<byte[], byte[]> record, long epoch) {
    return new Ticket(
        new TopicPartition(record.topic(), record.partition()),
        record.offset(),
        epoch,
        record.value() == null ? 0 : record.value().length);
  }
}
