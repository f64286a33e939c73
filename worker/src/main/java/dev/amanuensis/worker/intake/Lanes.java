package dev.amanuensis.worker.intake;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Which lane may fetch, and which is next to be admitted: each has reserved slots and bytes, and
 * what is beyond them is shared by weight (stride scheduling). Belongs to the loop thread.
 */
final class Lanes {
  /** Records that a lane holds ready, so that the consumer's next fetch costs no time. */
  private static final int MAX_WAITING = 16;

  private final List<Lane> lanes = new ArrayList<>();
  private final int maxJobs;
  private final long maxBytes;

  Lanes(List<LaneConfig> configs, int maxJobs, long maxBytes) {
    for (LaneConfig c : configs) {
      // Reservations leave half of everything to be shared, however small the worker is.
      int jobs = Math.min(c.reservedJobs(), maxJobs / (2 * configs.size()));
      long bytes = Math.min(c.reservedBytes(), maxBytes / (2L * configs.size()));
      lanes.add(new Lane(new LaneConfig(c.topic(), jobs, bytes, c.share()), lanes.size()));
    }
    this.maxJobs = maxJobs;
    this.maxBytes = maxBytes;
  }

  Lane of(String topic) {
    for (Lane lane : lanes) {
      if (lane.config.topic().equals(topic)) {
        return lane;
      }
    }
    throw new IllegalArgumentException("no lane of topic " + topic);
  }

  List<Lane> all() {
    return lanes;
  }

  /** Whose turn it is among the lanes that the test admits and that have a slot; null: nobody's. */
  Lane next(Predicate<Lane> eligible) {
    return lanes.stream()
        .filter(l -> hasSlot(l) && eligible.test(l))
        .min(Comparator.comparingDouble((Lane l) -> l.turn).thenComparingInt(l -> l.rank))
        .orElse(null);
  }

  /** A job of this lane goes into the sink. */
  void admitted(Lane lane) {
    // One that was idle has no claim on what it did not use.
    double start =
        lanes.stream()
            .filter(l -> l != lane && (l.running > 0 || !l.waiting.isEmpty()))
            .mapToDouble(l -> l.turn)
            .min()
            .orElse(lane.turn);
    if (lane.running == 0 && lane.waiting.isEmpty()) {
      lane.turn = Math.max(lane.turn, start);
    }
    lane.turn += 1.0 / lane.config.share();
    lane.running++;
  }

  /** Whether the lane may fetch more records. */
  boolean mayFetch(Lane lane) {
    return lane.waiting.size() < MAX_WAITING && hasBytes(lane);
  }

  private boolean hasSlot(Lane lane) {
    int running = 0;
    int keptForOthers = 0;
    for (Lane l : lanes) {
      running += l.running;
      if (l != lane) {
        keptForOthers += Math.max(0, l.config.reservedJobs() - l.running);
      }
    }
    return running < maxJobs
        && (lane.running < lane.config.reservedJobs() || running + keptForOthers < maxJobs);
  }

  private boolean hasBytes(Lane lane) {
    long held = 0;
    long keptForOthers = 0;
    for (Lane l : lanes) {
      held += l.bytes;
      if (l != lane) {
        keptForOthers += Math.max(0, l.config.reservedBytes() - l.bytes);
      }
    }
    return lane.bytes < lane.config.reservedBytes() || held + keptForOthers < maxBytes;
  }

  int running() {
    return lanes.stream().mapToInt(l -> l.running).sum();
  }

  long bytes() {
    return lanes.stream().mapToLong(l -> l.bytes).sum();
  }
}
