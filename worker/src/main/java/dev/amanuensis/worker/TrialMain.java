package dev.amanuensis.worker;

import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.JobRecords;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Does one job and publishes nothing: what a worker sends to die in its place. Settings and the
 * record come from stdin, so that no secret is among the arguments. Ends with 0 once the job has a
 * result, whatever it is, and without one when stdin ends.
 */
public final class TrialMain {
  /** The first that is written to stdout, when the job's work begins. */
  static final String BEGUN = "trial begun";

  private TrialMain() {}

  /** Takes no arguments. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    DataInputStream in = new DataInputStream(System.in);
    Map<String, String> settings = new HashMap<>();
    for (int left = in.readInt(); left > 0; left--) {
      String key = in.readUTF();
      settings.put(key, in.readUTF());
    }
    byte[] record = new byte[in.readInt()];
    in.readFully(record);
    Thread watch = new Thread(() -> endWith(in), "stdin");
    watch.setDaemon(true);
    watch.start();
    WorkerConfig config = WorkerConfig.of(settings, Map.of());
    Job job = JobRecords.decode(record, new KafkaSettings(config, "trial").registry());
    AtomicReference<JobSink> pipeline = new AtomicReference<>();
    new Worker(
        config,
        WorkerModel.load(config),
        WorkerMetrics.none(),
        sink -> {
          pipeline.set(sink);
          return sink;
        });
    CountDownLatch done = new CountDownLatch(1);
    System.out.println(BEGUN);
    System.out.flush();
    pipeline
        .get()
        .tryAdmit(
            job,
            null,
            new JobListener() {
              @Override
              public void done(JobResult result) {
                done.countDown();
              }

              @Override
              public void progressed(Progress progress) {
                // nobody waits for it
              }
            });
    done.await();
    Runtime.getRuntime().halt(0); // nothing to close that the system does not
  }

  private static void endWith(DataInputStream in) {
    try {
      while (in.read() >= 0) {
        // only the end matters
      }
    } catch (IOException e) {
      // the end as well
    }
    Runtime.getRuntime().halt(1);
  }
}
