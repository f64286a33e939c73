package dev.amanuensis.worker.admin;

import java.util.List;
import java.util.Optional;

/** The worker as the admin server knows it, from before it exists until it ends. Thread-safe. */
public final class WorkerState {
  private volatile String phase = "starting";
  private volatile WorkerView worker;
  private volatile boolean stopping;

  /** What is done before there is a worker, for example "loading the model". */
  public void phase(String text) {
    phase = text;
  }

  /** The worker is built. */
  public void attach(WorkerView view) {
    worker = view;
  }

  /** No more jobs are taken; those in flight are finished. */
  public void stopping() {
    stopping = true;
  }

  public String phase() {
    return phase;
  }

  public Optional<WorkerView> worker() {
    return Optional.ofNullable(worker);
  }

  /** Whether the process does any good: false after a failure that it can't mend. */
  boolean live() {
    WorkerView w = worker;
    return w == null || w.failure() == null;
  }

  /** Whether jobs are taken. */
  public boolean ready() {
    return reason() == null;
  }

  /** Why no jobs are taken, or null if they are. */
  String reason() {
    WorkerView w = worker;
    if (stopping) {
      return "stopping";
    }
    if (w == null) {
      return phase;
    }
    if (w.failure() != null) {
      return "the worker stopped: " + w.failure();
    }
    return w.checks().stream().filter(c -> !c.ok()).map(Check::detail).findFirst().orElse(null);
  }

  List<Check> checks() {
    WorkerView w = worker;
    return w == null ? List.of(new Check("model", false, phase)) : w.checks();
  }
}
