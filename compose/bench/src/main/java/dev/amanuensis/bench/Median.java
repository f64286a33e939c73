package dev.amanuensis.bench;

import java.util.List;

/**
 * The middle of several measurements, with the extremes.
 *
 * @param low smallest
 * @param high largest
 */
public record Median(double middle, double low, double high) {
  /**
   * @param values at least one
   */
  public static Median of(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int n = sorted.size();
    double middle = (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    return new Median(middle, sorted.get(0), sorted.get(n - 1));
  }
}
