package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.StepBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The live windows of a decoder and its slots. A window holds the slots of the attempt it is in:
 * one while it is greedy, as hardly any window is repeated; a repetition that samples five times
 * waits in place until five are free, before any new window may join. Belongs to one thread.
 */
final class Batch {
  /** Rows of a step, drafts included: as many as share one pass over the vocabulary projection. */
  private static final int DRAFTED_ROWS = 16;

  private final int maxSlots;
  private final List<LiveWindow> windows = new ArrayList<>();

  Batch(int maxSlots) {
    this.maxSlots = maxSlots;
  }

  /** Takes a window whose first attempt fits {@link #free}. */
  void add(LiveWindow window) {
    window.holdsSlots = true;
    windows.add(window);
  }

  /** All of them, those that wait for slots too. */
  List<LiveWindow> windows() {
    return windows;
  }

  boolean isEmpty() {
    return windows.isEmpty();
  }

  /** Windows whose next attempt can have its slots get them, the longest live first. */
  void admitRepeated() {
    int left = maxSlots - held();
    for (LiveWindow window : windows) {
      if (!window.holdsSlots) {
        if (window.decoding.slots() > left) {
          return;
        }
        window.holdsSlots = true;
        left -= window.decoding.slots();
      }
    }
  }

  /** Slots for windows that join: none while one that is here waits for some. */
  int free() {
    return windows.stream().allMatch(w -> w.holdsSlots) ? maxSlots - held() : 0;
  }

  /** Slots that are taken. */
  int held() {
    return windows.stream().filter(w -> w.holdsSlots).mapToInt(w -> w.decoding.slots()).sum();
  }

  /** Those that take part in the next step. */
  List<LiveWindow> stepping() {
    return windows.stream().filter(w -> w.holdsSlots).toList();
  }

  /** Tokens of a draft for each window at most. */
  int draftEach() {
    List<LiveWindow> stepping = stepping();
    int rows = stepping.stream().mapToInt(w -> w.decoding.rows()).sum();
    int room = Math.max(0, DRAFTED_ROWS - rows) / Math.max(1, stepping.size());
    return Math.min(StepBatch.MAX_DRAFT, room);
  }

  void removeIf(Predicate<LiveWindow> gone) {
    windows.removeIf(gone);
  }

  void clear() {
    windows.clear();
  }
}
