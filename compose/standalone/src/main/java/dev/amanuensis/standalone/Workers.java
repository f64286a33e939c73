package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.engine.EngineException;
import dev.amanuensis.model.ModelException;
import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.WorkerModel;
import dev.amanuensis.worker.config.ConfigException;
import dev.amanuensis.worker.config.WorkerConfig;
import java.io.IOException;
import java.util.Map;

/** Workers with their failures in the words of the command line. */
final class Workers {
  private static final long LOOK_MILLIS = 20;

  private Workers() {}

  /** Checks settings without doing anything. */
  static WorkerConfig config(Map<String, String> settings) throws CliException {
    try {
      return WorkerConfig.of(settings, System.getenv());
    } catch (ConfigException e) {
      throw new CliException(ExitCodes.USAGE, e.getMessage(), e);
    }
  }

  /** Loads the model and builds a worker that is not started. */
  static Worker load(Map<String, String> settings, Admin admin) throws CliException {
    admin.phase("loading the model");
    return assemble(settings, loadModel(settings), admin);
  }

  /** Builds a worker over a model, which it takes over unless this fails. */
  static Worker assemble(Map<String, String> settings, WorkerModel model, Admin admin)
      throws CliException {
    try {
      WorkerConfig config = config(settings);
      Worker worker = new Worker(config, model, admin.metrics());
      admin.attach(worker, config);
      return worker;
    } catch (ConfigException e) {
      throw new CliException(ExitCodes.USAGE, e.getMessage(), e);
    }
  }

  /** Loads the model alone; needs no Kafka yet. */
  static WorkerModel loadModel(Map<String, String> settings) throws CliException {
    WorkerConfig config = config(settings);
    try {
      return WorkerModel.load(config);
    } catch (ModelException e) {
      throw ModelAccess.explain(e);
    } catch (ConfigException e) {
      throw new CliException(ExitCodes.USAGE, e.getMessage(), e);
    } catch (IOException | EngineException e) {
      throw new CliException(ExitCodes.MODEL, "can't load the model: " + e.getMessage(), e);
    } catch (LinkageError e) { // it is loaded where its class is initialised
      throw new CliException(
          ExitCodes.INTERNAL, "can't load the native engine: " + root(e).getMessage(), e);
    }
  }

  /** The last cause that says something of its own. */
  private static Throwable root(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null && (root instanceof LinkageError || root.getMessage() == null)) {
      root = root.getCause();
    }
    return root;
  }

  /** Returns once the worker takes jobs, or the process was asked to end. */
  static void awaitReady(Worker worker, ShutdownSignal shutdown)
      throws CliException, InterruptedException {
    while (!worker.ready()) {
      check(worker);
      if (shutdown.await(LOOK_MILLIS)) {
        return;
      }
    }
  }

  /** Returns once the process was asked to end. */
  static void awaitEnd(Worker worker, ShutdownSignal shutdown)
      throws CliException, InterruptedException {
    while (!shutdown.await(500)) {
      check(worker);
    }
  }

  /** Throws what ended the worker, if anything did. */
  static void check(Worker worker) throws CliException {
    Throwable failure = worker.failure();
    if (failure != null) {
      throw new CliException(ExitCodes.INTERNAL, "the worker stopped: " + failure, failure);
    }
  }
}
