package dev.amanuensis.chaos;

import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.WorkerModel;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A worker as any other, but that poison crashes it and its device hangs when it is told to.
 * Arguments are settings, key=value.
 */
public final class ChaosWorker {
  /** Metadata of a job that ends the process. */
  static final String POISON = "chaos.poison";

  /** System property: the file that makes the device hang while it exists. */
  static final String HANG = "chaos.hang";

  private ChaosWorker() {}

  /** Runs until the process is told to end, or the worker has. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Map<String, String> settings = new HashMap<>();
    for (String a : arguments) {
      settings.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
    }
    WorkerConfig config = WorkerConfig.of(settings, Map.of());
    WorkerModel loaded = WorkerModel.load(config);
    Path hang = Path.of(System.getProperty(HANG));
    WorkerModel model = new WorkerModel(loaded.model(), new HangingDevice(loaded.device(), hang));
    Worker worker = new Worker(config, model, WorkerMetrics.none(), Poisoned::new);
    Runtime.getRuntime().addShutdownHook(new Thread(worker::close));
    worker.start();
    while (worker.failure() == null) {
      Thread.sleep(100);
    }
    worker.failure().printStackTrace();
    System.exit(1);
  }

  /** Hands jobs on, and dies of poison with a real SIGSEGV, as a native decoder would. */
  private record Poisoned(JobSink sink) implements JobSink {
    @Override
    public AdmittedJob tryAdmit(Job job, Progress from, JobListener listener) {
      if (job.metadata().containsKey(POISON)) {
        new Thread(Poisoned::crash, "poison").start();
      }
      return sink.tryAdmit(job, from, listener);
    }

    private static void crash() {
      try {
        Child.signal(ProcessHandle.current().pid(), "SEGV");
      } catch (IOException | InterruptedException e) {
        Runtime.getRuntime().halt(139);
      }
    }

    @Override
    public int inFlight() {
      return sink.inFlight();
    }
  }
}
