package dev.amanuensis.chaos;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * When results became visible, by partition of their jobs: how long a fault was felt. Times are
 * seconds since the start.
 */
final class Timeline {
  /** A fault counts as present for so long after it began. */
  static final double FELT_SECONDS = 10;

  /** Where the longest wait that a fault caused is looked for. */
  private static final double SEARCH_SECONDS = 20;

  /**
   * A result.
   *
   * @param partition of its job; the lanes' partitions of one number count as one, as one worker
   *     has them
   */
  record Arrival(double at, int partition) {}

  private final List<Arrival> arrivals;

  /**
   * @param arrivals in order
   */
  Timeline(List<Arrival> arrivals) {
    this.arrivals = List.copyOf(arrivals);
  }

  /**
   * Time until all partitions showed results again: the longest wait between two results of one
   * partition that ended after the fault began. A partition that has no more results counts as
   * done.
   */
  double recovery(double fault) {
    Map<Integer, Double> last = new HashMap<>();
    double longest = 0;
    for (Arrival a : arrivals) {
      Double before = last.put(a.partition(), a.at());
      double begun = Math.max(fault, before == null ? 0 : before);
      if (a.at() > fault && begun < fault + SEARCH_SECONDS) {
        longest = Math.max(longest, a.at() - begun);
      }
    }
    return longest;
  }

  /** Results per second while a fault was present; NaN if none was. */
  double rateDuring(List<Double> faults) {
    return rate(faults, true);
  }

  /** Results per second while none was; NaN if there always was one. */
  double rateBetween(List<Double> faults) {
    return rate(faults, false);
  }

  private double rate(List<Double> faults, boolean during) {
    if (arrivals.isEmpty()) {
      return Double.NaN;
    }
    double step = 0.1;
    double seconds = 0;
    double end = arrivals.get(arrivals.size() - 1).at();
    for (double t = arrivals.get(0).at(); t < end; t += step) {
      seconds += felt(faults, t) == during ? step : 0;
    }
    long count = arrivals.stream().filter(a -> felt(faults, a.at()) == during).count();
    return seconds == 0 ? Double.NaN : count / seconds;
  }

  private static boolean felt(List<Double> faults, double t) {
    return faults.stream().anyMatch(f -> t >= f && t < f + FELT_SECONDS);
  }
}
