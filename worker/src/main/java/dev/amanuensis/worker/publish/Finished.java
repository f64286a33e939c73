package dev.amanuensis.worker.publish;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * An input record that is dealt with, and the record that says so.
 *
 * @param epoch of the partition's assignment under which it was taken
 * @param output a transcript or a dead letter, serialised
 */
public record Finished(
    TopicPartition partition, long offset, long epoch, ProducerRecord<byte[], byte[]> output) {
  public static Finished of(
      ConsumerRecord<?, ?> input, long epoch, ProducerRecord<byte[], byte[]> output) {
    return new Finished(
        new TopicPartition(input.topic(), input.partition()), input.offset(), epoch, output);
  }
}
