package dev.amanuensis.cli.kafka;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which dead letters to replay: each once, and of a job with several the newest only.
 *
 * @param due to be replayed
 * @param replayed were replayed before
 * @param cut can't be replayed, as only a part of their record was kept or there is none
 * @param older have a newer one of the same job among those chosen
 */
public record ReplayChoice(
    List<DeadJob> due, List<DeadJob> replayed, List<DeadJob> cut, List<DeadJob> older) {
  /**
   * @param places those named by their place: all of them are wanted
   * @param others those chosen by a job's id, a reason, or all
   * @param again also those that were replayed before
   */
  public static ReplayChoice of(List<DeadJob> places, List<DeadJob> others, boolean again) {
    Map<String, DeadJob> wanted = new LinkedHashMap<>();
    places.forEach(l -> wanted.put(l.place(), l));
    List<DeadJob> older = new ArrayList<>();
    Map<String, DeadJob> newest = new LinkedHashMap<>();
    for (DeadJob letter : others) {
      String id = letter.letter().getJobId();
      boolean ofJob = id != null && !letter.isForeign();
      newest.merge(ofJob ? "job " + id : letter.place(), letter, ReplayChoice::newer);
    }
    for (DeadJob letter : others) {
      if (newest.containsValue(letter)) {
        wanted.putIfAbsent(letter.place(), letter);
      } else if (!wanted.containsKey(letter.place()) && !older.contains(letter)) {
        older.add(letter);
      }
    }
    List<DeadJob> due = new ArrayList<>();
    List<DeadJob> replayed = new ArrayList<>();
    List<DeadJob> cut = new ArrayList<>();
    for (DeadJob letter : wanted.values()) {
      (letter.isReplayed() && !again ? replayed : letter.obstacle() == null ? due : cut)
          .add(letter);
    }
    return new ReplayChoice(due, replayed, cut, older);
  }

  private static DeadJob newer(DeadJob a, DeadJob b) {
    return b.letter().getFailedAt().isBefore(a.letter().getFailedAt()) ? a : b;
  }
}
