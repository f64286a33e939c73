package dev.amanuensis.worker.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The live windows of a decoder and its slots. A window holds the slots of the attempt it is in:
 * one while it is greedy, as hardly any window is repeated; a repetition that samples five times
 * waits in place until five are free, before any new window may join. Belongs to one thread.
 */
final class Batch {
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

  void removeIf(Predicate<LiveWindow> gone) {
    windows.removeIf(gone);
  }

  void clear() {
    windows.clear();
  }
}
