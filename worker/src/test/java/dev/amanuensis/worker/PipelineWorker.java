package dev.amanuensis.worker;

import dev.amanuensis.worker.config.WorkerConfig;
import java.io.IOException;
import java.util.Map;

/** A whole worker as a process, for {@link WorkerProcess}. */
public final class PipelineWorker {
  private PipelineWorker() {}

  /** Runs until it is told to end, or has failed. Arguments are settings, key=value. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Worker worker = new Worker(WorkerConfig.of(WorkerProcess.settings(arguments), Map.of()));
    Runtime.getRuntime().addShutdownHook(new Thread(worker::close));
    worker.start();
    while (worker.failure() == null) {
      Thread.sleep(100);
    }
    worker.failure().printStackTrace();
    System.exit(1);
  }
}
