package dev.amanuensis.chaos;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * What is done to the fleet and when, in order. Made of the options and the seed alone, so the same
 * ones give the same faults at the same share of the results.
 *
 * @param steps in order
 */
record ChaosPlan(List<Step> steps) {
  /**
   * One fault.
   *
   * @param at share of the results that are visible when it happens
   * @param target number that the run maps to a worker or a broker
   */
  record Step(Fault fault, double at, int target) {}

  static ChaosPlan of(ChaosOptions o) {
    Random random = new Random(o.seed());
    List<Step> steps = new ArrayList<>();
    for (Fault fault : Fault.values()) {
      for (int i = 0; i < o.times(fault); i++) {
        // After the fleet has begun, and with something left to do afterwards.
        steps.add(new Step(fault, 0.02 + 0.9 * random.nextDouble(), random.nextInt(1000)));
      }
    }
    steps.sort(Comparator.comparingDouble(Step::at));
    return new ChaosPlan(List.copyOf(steps));
  }
}
