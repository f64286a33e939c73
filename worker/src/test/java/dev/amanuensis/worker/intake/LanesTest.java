package dev.amanuensis.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LanesTest {
  private static final long MIB = 1 << 20;

  private final Lanes lanes =
      new Lanes(
          List.of(
              new LaneConfig("urgent", 4, 8 * MIB, 16),
              new LaneConfig("normal", 4, 8 * MIB, 4),
              new LaneConfig("bulk", 2, 8 * MIB, 1)),
          32,
          64 * MIB);

  private int fill(String topic) {
    int n = 0;
    while (lanes.next(l -> l.config.topic().equals(topic)) != null) {
      lanes.admitted(lanes.of(topic));
      n++;
    }
    return n;
  }

  @Test
  void laneAloneTakesEverythingButWhatOthersHaveReserved() {
    assertThat(fill("bulk")).isEqualTo(32 - 8);
    assertThat(fill("urgent")).isEqualTo(4);
    assertThat(fill("normal")).isEqualTo(4);
    assertThat(lanes.running()).isEqualTo(32);
  }

  @Test
  void slotsOfACompetitionAreGivenByShare() {
    Map<String, Integer> admitted = new HashMap<>();
    for (int i = 0; i < 2_100; i++) {
      Lane lane = lanes.next(l -> true);
      lanes.admitted(lane);
      lane.running--; // each ends at once
      lane.waiting.add(new Delivery(null, null, lane)); // and there is always another one
      admitted.merge(lane.config.topic(), 1, Integer::sum);
    }
    assertThat(admitted.get("urgent")).isBetween(1_560, 1_640);
    assertThat(admitted.get("normal")).isBetween(380, 420);
    assertThat(admitted.get("bulk")).isBetween(90, 110);
  }

  @Test
  void bytesOfOneLaneLeaveTheOthersTheirReserve() {
    lanes.of("bulk").bytes = 47 * MIB;
    assertThat(lanes.mayFetch(lanes.of("bulk"))).isTrue();
    lanes.of("bulk").bytes = 48 * MIB;
    assertThat(lanes.mayFetch(lanes.of("bulk"))).isFalse();
    assertThat(lanes.mayFetch(lanes.of("urgent"))).isTrue();
  }

  @Test
  void smallWorkerKeepsHalfOfItsSlotsForWhoeverComes() {
    Lanes small =
        new Lanes(
            List.of(new LaneConfig("urgent", 4, MIB, 1), new LaneConfig("bulk", 4, MIB, 1)),
            2,
            MIB);
    assertThat(small.next(l -> l.rank == 1)).isNotNull();
    small.admitted(small.of("bulk"));
    assertThat(small.next(l -> l.rank == 1)).isNotNull();
  }
}
