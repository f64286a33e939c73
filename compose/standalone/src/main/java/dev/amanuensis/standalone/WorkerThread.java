package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.WorkerModel;
import java.time.Duration;
import java.util.Map;

/**
 * Loads the model on a thread of its own, and starts the worker once it is loaded and Kafka serves.
 * Thread-safe.
 */
final class WorkerThread {
  private final Admin admin;
  private final Thread thread;
  private Map<String, String> connected;
  private Worker worker;
  private CliException failure;
  private boolean closed;

  /** Begins to load the model. */
  WorkerThread(Map<String, String> settings, Admin admin) {
    this.admin = admin;
    thread = new Thread(() -> run(settings), "start-worker");
    thread.setDaemon(true);
    thread.start();
  }

  /** Whoever waits for the worker learns of whatever ends this thread. */
  private void run(Map<String, String> settings) {
    try {
      load(settings);
    } catch (RuntimeException | Error e) {
      fail(new CliException(ExitCodes.INTERNAL, "the worker can't start: " + e, e));
    }
  }

  private void load(Map<String, String> settings) {
    WorkerModel model;
    admin.phase("loading the model");
    try {
      model = Workers.loadModel(settings);
    } catch (CliException e) {
      fail(e);
      return;
    }
    try {
      if (!start(model)) {
        model.close();
      }
    } catch (CliException e) {
      model.close();
      fail(e);
    } catch (InterruptedException e) {
      model.close();
    }
  }

  /** False if it was closed before it came to that. */
  private synchronized boolean start(WorkerModel model) throws CliException, InterruptedException {
    admin.phase("waiting for Kafka");
    while (connected == null && !closed) {
      wait();
    }
    if (closed) {
      return false;
    }
    worker = Workers.assemble(connected, model, admin);
    worker.start();
    return true;
  }

  private synchronized void fail(CliException e) {
    admin.phase(e.getMessage());
    failure = e;
  }

  /**
   * Kafka serves.
   *
   * @param settings of the worker, with where Kafka and the registry are
   */
  synchronized void connect(Map<String, String> settings) {
    connected = Map.copyOf(settings);
    notifyAll();
  }

  synchronized boolean ready() {
    return worker != null && worker.ready();
  }

  /** Throws what kept the worker from starting, or ended it. */
  synchronized void check() throws CliException {
    if (failure != null) {
      throw failure;
    }
    if (worker != null) {
      Workers.check(worker);
    }
  }

  /**
   * @param grace for jobs in flight; null for the configured one
   */
  void close(Duration grace) {
    Worker running;
    synchronized (this) {
      closed = true;
      notifyAll();
      running = worker;
    }
    if (running == null) {
      return;
    }
    if (grace == null) {
      running.close();
    } else {
      running.close(grace);
    }
  }
}
