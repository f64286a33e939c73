package dev.amanuensis.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartitionProgressTest {
  @Test
  void baseWaitsForTheOldestRecordAndTheBitmapHoldsTheRest() {
    PartitionProgress progress = new PartitionProgress(10, null);
    for (long offset : new long[] {10, 11, 12, 14}) {
      assertThat(progress.begin(offset)).isTrue();
    }
    progress.done(14);
    progress.done(11);
    assertThat(progress.toCommit().offset()).isEqualTo(10);

    OffsetAndMetadata committed = progress.toCommit();
    PartitionProgress successor = new PartitionProgress(committed.offset(), committed.metadata());
    assertThat(successor.begin(10)).isTrue();
    assertThat(successor.begin(11)).isFalse();
    assertThat(successor.begin(12)).isTrue();
    assertThat(successor.begin(14)).isFalse();
  }

  @Test
  void restoredRecordsDoNotMoveTheBaseBeforeTheOthersAreDelivered() {
    PartitionProgress first = new PartitionProgress(0, null);
    for (long offset = 0; offset < 6; offset++) {
      first.begin(offset);
    }
    first.done(5);
    OffsetAndMetadata committed = first.toCommit();
    PartitionProgress successor = new PartitionProgress(committed.offset(), committed.metadata());
    assertThat(successor.toCommit().offset()).isZero();
    assertThat(successor.isDone(5)).isTrue();
    assertThat(successor.isDone(3)).isFalse();
  }

  @Test
  void gapsInTheOffsetsDoNotHoldTheBaseBack() {
    PartitionProgress progress = new PartitionProgress(0, null);
    for (long offset : new long[] {0, 2, 4}) {
      progress.begin(offset);
      progress.done(offset);
    }
    progress.advanced(6);
    assertThat(progress.toCommit().offset()).isEqualTo(6);
    assertThat(progress.toCommit().metadata()).isEmpty();
  }

  @Test
  void metadataOfOthersIsIgnored() {
    for (String metadata : List.of("", "someone's note", "a2:***", "a2:////")) {
      assertThat(new PartitionProgress(3, metadata).begin(3)).isTrue();
    }
  }

  @Test
  void fullWindowFitsTheBrokersMetadataLimit() {
    PartitionProgress progress = new PartitionProgress(0, null);
    progress.begin(0);
    long offset = 1;
    while (!progress.full()) {
      progress.begin(offset);
      progress.done(offset++);
    }
    assertThat(progress.toCommit().metadata().length()).isBetween(3000, 4096);
  }

  @Test
  void fullWindowAndAllMarksFitTheBrokersMetadataLimit() {
    PartitionProgress progress = new PartitionProgress(0, null);
    progress.begin(0);
    for (long offset = 1; !progress.full(); offset++) {
      progress.begin(offset);
      if (offset % 100 == 0 && progress.takesMark(offset, 0)) {
        progress.mark(offset, new Mark(Mark.State.ALONE, Mark.MAX_ATTEMPTS));
      } else {
        progress.done(offset);
      }
    }
    OffsetAndMetadata committed = progress.toCommit();
    assertThat(committed.metadata().length()).isBetween(3500, 4096);
    PartitionProgress successor = new PartitionProgress(committed.offset(), committed.metadata());
    assertThat(successor.mark(100)).isEqualTo(new Mark(Mark.State.SUSPECT, Mark.MAX_ATTEMPTS));
    assertThat(successor.takesMark(19_999, 0)).isFalse();
    assertThat(successor.takesMark(100, 0)).isTrue();
  }

  @Test
  void progressOfPredecessorsIsCommittedThoughNothingIsLeftToPublish() {
    PartitionProgress first = new PartitionProgress(5, null);
    first.begin(5);
    first.begin(6);
    first.done(6);
    String metadata = first.toCommit().metadata();
    // The successor's base is one that another one committed before it was delivered anything.
    PartitionProgress successor = new PartitionProgress(5, metadata);
    assertThat(successor.lags()).isFalse();
    assertThat(successor.begin(5)).isTrue();
    assertThat(successor.begin(6)).isFalse();
    assertThat(successor.lags()).isFalse(); // 5 will be published, and tell
    OffsetAndMetadata published = successor.after(Set.of(5L));
    successor.done(5);
    assertThat(successor.lags()).isTrue();
    successor.committed(published.offset());
    assertThat(successor.lags()).isFalse();
  }

  @Test
  void onlyALossWhileAloneIsAnAttempt() {
    PartitionProgress progress = new PartitionProgress(5, null);
    for (long offset = 5; offset < 10; offset++) {
      progress.begin(offset);
    }
    progress.mark(5, Mark.STARTED);
    progress.mark(6, new Mark(Mark.State.ALONE, 1));
    progress.mark(7, new Mark(Mark.State.SUSPECT, 2));
    progress.mark(8, Mark.LEFT);
    OffsetAndMetadata committed = progress.toCommit();
    PartitionProgress successor = new PartitionProgress(committed.offset(), committed.metadata());
    assertThat(successor.mark(5)).isEqualTo(new Mark(Mark.State.SUSPECT, 0));
    assertThat(successor.mark(6)).isEqualTo(new Mark(Mark.State.SUSPECT, 2));
    assertThat(successor.mark(7)).isEqualTo(new Mark(Mark.State.SUSPECT, 2));
    assertThat(successor.mark(8)).isEqualTo(Mark.LEFT);
    assertThat(successor.mark(9)).isNull();
  }

  @Test
  void markGoesWithItsRecord() {
    PartitionProgress progress = new PartitionProgress(0, null);
    progress.begin(0);
    progress.begin(1);
    progress.mark(1, Mark.STARTED);
    assertThat(OffsetMetadata.decode(progress.after(Set.of(1L)).metadata()).marks()).isEmpty();
    progress.done(1);
    assertThat(progress.mark(1)).isNull();
  }

  @Test
  void givenBackInGoodOrderNothingIsSuspect() {
    assertThat(Mark.STARTED.givenBack(false)).isNull();
    assertThat(Mark.STARTED.givenBack(true)).isEqualTo(Mark.LEFT);
    Mark alone = new Mark(Mark.State.ALONE, 1);
    assertThat(alone.givenBack(false).inherited()).isEqualTo(new Mark(Mark.State.SUSPECT, 1));
  }

  /** Workers that are killed at any moment: every record is done exactly once. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void successorsNeitherRepeatNorLoseRecords(long seed) {
    Random random = new Random(seed);
    List<Long> log = new ArrayList<>();
    for (long offset = 0; log.size() < 400; offset += 1 + random.nextInt(3)) {
      log.add(offset);
    }
    Set<Long> published = new TreeSet<>();
    OffsetAndMetadata committed = new OffsetAndMetadata(0, "");
    while (published.size() < log.size()) {
      PartitionProgress worker = new PartitionProgress(committed.offset(), committed.metadata());
      long from = committed.offset();
      List<Long> open = new ArrayList<>();
      for (long offset : log.stream().filter(o -> o >= from).limit(50).toList()) {
        if (worker.begin(offset)) {
          open.add(offset);
        }
      }
      int life = 1 + random.nextInt(40);
      for (int i = 0; i < life && !open.isEmpty(); i++) {
        long offset = open.remove(random.nextInt(open.size()));
        assertThat(published.add(offset)).as("offset %d is published once", offset).isTrue();
        worker.done(offset);
        committed = worker.toCommit();
      }
      if (open.isEmpty()) {
        committed = worker.toCommit();
      }
    }
    assertThat(published).containsExactlyElementsOf(log);
  }
}
