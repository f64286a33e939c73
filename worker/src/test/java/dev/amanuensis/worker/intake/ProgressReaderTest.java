package dev.amanuensis.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

/** The loop polls only after this: whatever waits here keeps partitions from being given back. */
class ProgressReaderTest {
  private static final TopicPartition NEW = new TopicPartition("jobs", 0);
  private static final TopicPartition KNOWN = new TopicPartition("jobs", 1);
  private static final Duration NOW = Duration.ZERO;

  /** Kafka's, with partitions that are to be given back: their position is never found. */
  private static final class Consumer extends MockConsumer<byte[], byte[]> {
    private boolean away;

    Consumer() {
      super("earliest");
      assign(Set.of(NEW, KNOWN));
      updateBeginningOffsets(Map.of(NEW, 3L, KNOWN, 0L));
      updateEndOffsets(Map.of(NEW, 9L, KNOWN, 9L));
      commitSync(Map.of(KNOWN, new OffsetAndMetadata(5)));
    }

    @Override
    public long position(TopicPartition partition, Duration timeout) {
      throw new TimeoutException("the position can't be determined");
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> committed(
        Set<TopicPartition> partitions, Duration timeout) {
      if (away) {
        throw new TimeoutException("no coordinator");
      }
      return super.committed(partitions, timeout);
    }
  }

  private final Assignment assignment = new Assignment();
  private final ProgressReader reader = new ProgressReader(assignment, new Refusals("group"));

  @Test
  void partitionWithoutProgressBeginsAtItsStartThoughItIsToBeGivenBack() {
    try (Consumer consumer = new Consumer()) {
      assertThatThrownBy(() -> consumer.position(NEW, NOW)).isInstanceOf(TimeoutException.class);
      reader.assigned(Set.of(NEW, KNOWN));
      reader.read(consumer);
      assertThat(reader.fresh()).isEmpty();
      assertThat(consumer.position(NEW)).isEqualTo(3);
      assertThat(consumer.position(KNOWN)).isEqualTo(5);
      assertThat(assignment.toCommitOf(Set.of(NEW)).get(NEW).offset()).isEqualTo(3);
    }
  }

  @Test
  void whatKafkaDoesNotTellNowKeepsTheLoopFromNothingAndIsAskedAgain() {
    try (Consumer consumer = new Consumer()) {
      consumer.away = true;
      reader.assigned(Set.of(NEW, KNOWN));
      reader.read(consumer);
      assertThat(reader.fresh()).containsExactlyInAnyOrder(NEW, KNOWN);
      consumer.away = false;
      reader.read(consumer);
      assertThat(reader.fresh()).isEmpty();
    }
  }
}
