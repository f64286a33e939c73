package dev.amanuensis.chaos;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What every job's result has to be, and which are not. */
final class Expectations {
  private final ChaosOptions options;
  private final Sounds sounds;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<String> lost = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private final List<String> poison = new ArrayList<>();

  Expectations(ChaosOptions options, Sounds sounds) {
    this.options = options;
    this.sounds = sounds;
    for (int i = 0; i < options.jobs(); i++) {
      numbers.put(Load.id(i), i);
    }
    for (int i = 0; i < options.poison(); i++) {
      poison.add(Load.poisonId(i));
    }
  }

  void check(Map<String, List<Audit.Seen>> results) {
    Map<String, String> textOf = new HashMap<>(); // of a sound
    Map<String, String> soundOf = new HashMap<>(); // of a text
    for (int i = 0; i < options.jobs(); i++) {
      Audit.Seen seen = first(Load.id(i), "COMPLETED", results);
      if (seen == null) {
        continue;
      }
      String sound = sounds.name(i);
      String same = textOf.putIfAbsent(sound, seen.text());
      String other = soundOf.putIfAbsent(seen.text(), sound);
      if (seen.text().isBlank()) {
        wrong.add(Load.id(i) + ": no text");
      } else if (same != null && !same.equals(seen.text())) {
        wrong.add(
            "%s: %s is \"%s\" here and \"%s\" elsewhere"
                .formatted(Load.id(i), sound, seen.text(), same));
      } else if (other != null && !other.equals(sound)) {
        wrong.add("%s: %s has the text of %s".formatted(Load.id(i), sound, other));
      }
    }
    poison.forEach(id -> first(id, "FAILED ATTEMPTS_EXHAUSTED", results));
    results.keySet().stream()
        .filter(id -> !numbers.containsKey(id) && !poison.contains(id))
        .forEach(id -> wrong.add(id + ": nobody submitted it"));
  }

  private Audit.Seen first(String id, String status, Map<String, List<Audit.Seen>> results) {
    List<Audit.Seen> seen = results.get(id);
    if (seen == null) {
      lost.add(id);
      return null;
    }
    Audit.Seen first = seen.get(0);
    if (!first.status().equals(status)) {
      wrong.add(id + ": " + first.status() + " by " + first.worker());
      return null;
    }
    return first;
  }

  boolean isSpeech(String jobId) {
    Integer n = numbers.get(jobId);
    return n != null && sounds.isSpeech(n);
  }

  /** Jobs without a result. */
  List<String> lost() {
    return lost;
  }

  /** Jobs whose result is not what it had to be, and why. */
  List<String> wrong() {
    return wrong;
  }

  /** Jobs that have to be dead-lettered. */
  List<String> poison() {
    return poison;
  }
}
