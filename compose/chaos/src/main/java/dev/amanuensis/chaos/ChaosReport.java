package dev.amanuensis.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run showed.
 *
 * @param submitted jobs that the brokers took, poison among them
 * @param answered jobs with a visible result
 * @param duplicates results beyond the first of a job
 * @param lost ids without a result
 * @param wrong jobs whose result is not what it had to be, and why
 * @param letters dead letters of jobs
 * @param expectedLetters ids that had to have one
 * @param undecodable dead letters of records that are no jobs
 * @param faults what was done, with the seconds until the next result and the longest stall after
 *     it
 */
record ChaosReport(
    ChaosOptions options,
    int submitted,
    int answered,
    int duplicates,
    List<String> lost,
    List<String> wrong,
    Map<String, Integer> letters,
    List<String> expectedLetters,
    int undecodable,
    int laterAttempts,
    int restarts,
    double seconds,
    List<Done> faults) {

  /** A fault that happened, in seconds since the start. */
  record Done(ChaosPlan.Fault fault, String target, double at, double stall) {}

  boolean ok() {
    return duplicates == 0
        && lost.isEmpty()
        && wrong.isEmpty()
        && undecodable == options.undecodable()
        && letters.size() == expectedLetters.size()
        && letters.keySet().containsAll(expectedLetters)
        && letters.values().stream().allMatch(n -> n == 1);
  }

  /** The audit's table, in Markdown. */
  String table() {
    StringBuilder out = new StringBuilder();
    row(out, "what", "expected", "found");
    row(out, "---", "---", "---");
    row(out, "jobs with a visible result", submitted, answered);
    row(out, "duplicates", 0, duplicates);
    row(out, "lost", 0, lost.size());
    row(out, "results that are wrong", 0, wrong.size());
    row(out, "dead letters of jobs (poison)", expectedLetters.size(), total(letters));
    row(out, "dead letters of records that are no jobs", options.undecodable(), undecodable);
    row(out, "results of later attempts", "-", laterAttempts);
    row(out, "restarts of workers", "-", restarts);
    row(out, "seconds", "-", text(seconds));
    row(out, "jobs per second during faults", "-", text(answered / seconds));
    out.append('\n');
    row(out, "fault", "times", "longest wait for a result after it, s: median, most");
    row(out, "---", "---", "---");
    Map<ChaosPlan.Fault, List<Double>> stalls = new TreeMap<>();
    faults.forEach(f -> stalls.computeIfAbsent(f.fault(), k -> new ArrayList<>()).add(f.stall()));
    stalls.forEach(
        (fault, all) -> {
          all.sort(null);
          row(
              out,
              fault.name().toLowerCase(Locale.ROOT),
              all.size(),
              text(all.get(all.size() / 2)) + ", " + text(all.get(all.size() - 1)));
        });
    lost.stream().limit(20).forEach(id -> out.append("\nlost: ").append(id));
    wrong.stream().limit(20).forEach(w -> out.append("\nwrong: ").append(w));
    letters.keySet().stream()
        .filter(id -> !expectedLetters.contains(id))
        .limit(20)
        .forEach(id -> out.append("\nunexpected dead letter: ").append(id));
    return out.append('\n').toString();
  }

  private static int total(Map<String, Integer> letters) {
    return letters.values().stream().mapToInt(Integer::intValue).sum();
  }

  private static String text(double value) {
    return "%.1f".formatted(value);
  }

  private static void row(StringBuilder out, Object... cells) {
    out.append('|');
    for (Object cell : cells) {
      out.append(' ').append(cell).append(" |");
    }
    out.append('\n');
  }
}
