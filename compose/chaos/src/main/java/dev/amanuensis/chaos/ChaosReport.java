package dev.amanuensis.chaos;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a run showed.
 *
 * @param answered jobs with a visible result
 * @param duplicates results beyond the first of a job
 * @param lost ids without a result
 * @param wrong jobs whose result is not what it had to be, and why
 * @param letters dead letters of jobs
 * @param expectedLetters ids that had to have one
 * @param undecodable dead letters of records that are no jobs
 * @param unfinished partitions whose progress did not come to its end
 * @param suspects times that a job of a lost worker ran alone
 * @param lateFetches answers of the storage that came late or were errors
 * @param faults what was done
 * @param timeline of the results of all jobs but speech
 */
record ChaosReport(
    ChaosOptions options,
    int answered,
    int duplicates,
    List<String> lost,
    List<String> wrong,
    Map<String, Integer> letters,
    List<String> expectedLetters,
    int undecodable,
    List<String> unfinished,
    int laterAttempts,
    long suspects,
    int lateFetches,
    int restarts,
    double seconds,
    List<Done> faults,
    Timeline timeline) {

  /** A fault, in seconds since the start; NaN: it did not happen. */
  record Done(Fault fault, String target, double at) {
    boolean happened() {
      return !Double.isNaN(at);
    }
  }

  boolean ok() {
    return duplicates == 0
        && lost.isEmpty()
        && wrong.isEmpty()
        && undecodable == options.undecodable()
        && letters.size() == expectedLetters.size()
        && letters.keySet().containsAll(expectedLetters)
        && letters.values().stream().allMatch(n -> n == 1)
        && unfinished.isEmpty()
        && faults.stream().allMatch(Done::happened);
  }

  /** The audit's table, in Markdown. */
  String table() {
    List<Double> times = happened().map(Done::at).toList();
    StringBuilder out = new StringBuilder();
    row(out, "what", "expected", "found");
    row(out, "---", "---", "---");
    row(out, "jobs with a visible result", options.submitted(), answered);
    row(out, "duplicates", 0, duplicates);
    row(out, "lost", 0, lost.size());
    row(out, "results that are wrong", 0, wrong.size());
    row(out, "dead letters of jobs (poison)", expectedLetters.size(), total(letters));
    row(out, "dead letters of records that are no jobs", options.undecodable(), undecodable);
    row(out, "partitions whose progress has gaps or marks left", 0, unfinished.size());
    row(out, "jobs of real speech", "-", options.speechJobs());
    row(out, "jobs of lost workers that ran alone (suspects)", "-", suspects);
    row(out, "results of attempts after a loss while alone", "-", laterAttempts);
    row(out, "fetches that came late or failed", "-", lateFetches);
    row(out, "restarts of workers", "-", restarts);
    row(out, "seconds", "-", text(seconds));
    row(
        out,
        "jobs per second in the %d s after a fault".formatted((int) Timeline.FELT_SECONDS),
        "-",
        text(timeline.rateDuring(times)));
    row(out, "jobs per second at other times", "-", text(timeline.rateBetween(times)));
    out.append('\n');
    row(out, "fault", "times", "s until all partitions showed results again: median", "most");
    row(out, "---", "---", "---", "---");
    recoveries()
        .forEach(
            (fault, all) ->
                row(
                    out,
                    fault.label(),
                    all.size(),
                    text(all.get(all.size() / 2)),
                    text(all.get(all.size() - 1))));
    notes(out);
    return out.append('\n').toString();
  }

  private Stream<Done> happened() {
    return faults.stream().filter(Done::happened);
  }

  /** By kind of fault, in order. */
  private Map<Fault, List<Double>> recoveries() {
    Map<Fault, List<Double>> all = new EnumMap<>(Fault.class);
    for (Fault fault : Fault.values()) {
      List<Double> these =
          happened()
              .filter(d -> d.fault() == fault)
              .map(d -> timeline.recovery(d.at()))
              .sorted()
              .toList();
      if (!these.isEmpty()) {
        all.put(fault, these);
      }
    }
    return all;
  }

  private void notes(StringBuilder out) {
    lost.stream().limit(20).forEach(id -> out.append("\nlost: ").append(id));
    wrong.stream().limit(20).forEach(w -> out.append("\nwrong: ").append(w));
    letters.keySet().stream()
        .filter(id -> !expectedLetters.contains(id))
        .limit(20)
        .forEach(id -> out.append("\nunexpected dead letter: ").append(id));
    unfinished.stream().limit(20).forEach(p -> out.append("\nunfinished: ").append(p));
    faults.stream()
        .filter(d -> !d.happened())
        .forEach(d -> out.append("\nnot reached: ").append(d.fault().label()));
  }

  private static int total(Map<String, Integer> letters) {
    return letters.values().stream().mapToInt(Integer::intValue).sum();
  }

  private static String text(double value) {
    return Double.isNaN(value) ? "-" : "%.1f".formatted(value);
  }

  private static void row(StringBuilder out, Object... cells) {
    out.append('|');
    for (Object cell : cells) {
      out.append(' ').append(cell).append(" |");
    }
    out.append('\n');
  }
}
