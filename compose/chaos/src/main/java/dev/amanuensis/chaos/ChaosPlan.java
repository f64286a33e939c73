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
  /** What can go wrong. */
  enum Fault {
    /** SIGKILL of a worker. */
    KILL,
    /** SIGSTOP of a worker for longer than its session, then SIGCONT. */
    STOP,
    /** SIGKILL of a broker, which starts again. */
    BROKER,
    /** The registry answers nobody for some seconds. */
    REGISTRY,
    /** The workers' spill folder has no byte left for some seconds. */
    DISK,
    /** Workers come and go in good order, one after the other. */
    STORM
  }

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
    add(steps, random, Fault.KILL, o.kills());
    add(steps, random, Fault.STOP, o.stops());
    add(steps, random, Fault.BROKER, o.brokerRestarts());
    add(steps, random, Fault.REGISTRY, o.registryOutages());
    add(steps, random, Fault.DISK, o.fullDisks());
    add(steps, random, Fault.STORM, o.storms());
    steps.sort(Comparator.comparingDouble(Step::at));
    return new ChaosPlan(List.copyOf(steps));
  }

  /** After the fleet has begun, and early enough that there is something left to do afterwards. */
  private static void add(List<Step> steps, Random random, Fault fault, int count) {
    for (int i = 0; i < count; i++) {
      steps.add(new Step(fault, 0.02 + 0.9 * random.nextDouble(), random.nextInt(1000)));
    }
  }
}
