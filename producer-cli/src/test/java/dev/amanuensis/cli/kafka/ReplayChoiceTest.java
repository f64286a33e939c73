package dev.amanuensis.cli.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.DeadLetter;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class ReplayChoiceTest {
  private static DeadJob letter(long offset, String job, boolean whole, boolean replayed) {
    DeadLetter letter = new DeadLetter();
    letter.setJobId(job);
    letter.setValue(ByteBuffer.allocate(3));
    letter.setValueSize(whole ? 3 : 4);
    letter.setFailedAt(Instant.ofEpochSecond(offset));
    return new DeadJob(0, offset, letter, replayed);
  }

  @Test
  void letterNamedTwiceIsReplayedOnce() {
    DeadJob one = letter(17, "a", true, false);
    ReplayChoice choice = ReplayChoice.of(List.of(one, one), List.of(one), false);
    assertThat(choice.due()).containsExactly(one);
    assertThat(choice.older()).isEmpty();
  }

  @Test
  void ofAJobWithSeveralLettersTheNewestIsReplayed() {
    DeadJob first = letter(1, "a", true, false);
    DeadJob second = letter(2, "a", true, false);
    DeadJob other = letter(3, null, true, false);
    DeadJob another = letter(4, null, true, false);
    List<DeadJob> all = List.of(second, first, other, another);
    ReplayChoice choice = ReplayChoice.of(List.of(), all, false);
    assertThat(choice.due()).containsExactlyInAnyOrder(second, other, another);
    assertThat(choice.older()).containsExactly(first);
    assertThat(ReplayChoice.of(List.of(first, second), List.of(), false).due())
        .containsExactly(first, second);
  }

  @Test
  void cutLettersAreNamedAndNotDropped() {
    DeadJob cut = letter(1, "a", false, false);
    DeadJob good = letter(2, "b", true, false);
    DeadJob done = letter(3, "c", true, true);
    ReplayChoice choice = ReplayChoice.of(List.of(), List.of(cut, good, done), false);
    assertThat(choice.due()).containsExactly(good);
    assertThat(choice.cut()).containsExactly(cut);
    assertThat(choice.replayed()).containsExactly(done);
    assertThat(ReplayChoice.of(List.of(), List.of(done), true).due()).containsExactly(done);
  }

  @Test
  void foreignRecordIsCalledOneAndHidesNoLetterOfTheJobInItsKey() {
    DeadJob letter = letter(1, "a", true, false);
    DeadJob foreign =
        DeadJob.unreadable(
            new ConsumerRecord<>("dlq", 0, 2, "a", new byte[] {1}), new Exception("no magic byte"));
    ReplayChoice choice = ReplayChoice.of(List.of(), List.of(letter, foreign), false);
    assertThat(choice.due()).containsExactly(letter);
    assertThat(choice.older()).isEmpty();
    assertThat(choice.cut()).containsExactly(foreign);
    assertThat(foreign.obstacle()).contains("no dead letter");
  }
}
