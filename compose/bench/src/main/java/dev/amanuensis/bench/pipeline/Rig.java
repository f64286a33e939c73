package dev.amanuensis.bench.pipeline;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.device.ForwardingDevice;
import dev.amanuensis.worker.device.SimulatedDevice;
import dev.amanuensis.worker.device.SimulatedModel;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.pipeline.Pipeline;
import dev.amanuensis.worker.pipeline.PipelineConfig;
import dev.amanuensis.worker.pipeline.PipelineListener;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.pipeline.Stage;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.SourceConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The worker's pipeline over a simulated device: real queues, buffers, threads and log-mel. Notes
 * for each window when it came to the encoder's queue and when the device began with it.
 */
final class Rig implements AutoCloseable {
  /**
   * One window's way to the device.
   *
   * @param millis from the encoder's queue to the device's start, log-mel included
   * @param hostMillis of them in which its log-mel was computed
   */
  record Wait(double millis, double hostMillis) {}

  final Queue<Wait> waits = new ConcurrentLinkedQueue<>();
  final Pipeline pipeline;
  private final SimulatedDevice device;
  private final AudioPreparer preparer;
  private final BufferManager buffers;
  private final SimulatedModel model;
  private final ThreadLocal<long[]> arrival = ThreadLocal.withInitial(() -> new long[2]);

  /**
   * @param window service time of the device
   * @param step of the stubbed decoder
   * @param root that references may point into
   */
  Rig(Duration window, Duration step, int maxJobs, Path root) {
    device = new SimulatedDevice(window);
    model = new SimulatedModel(step);
    preparer = new AudioPreparer(SourceConfig.defaults(List.of(root)));
    PipelineConfig d = PipelineConfig.defaults();
    PipelineConfig config =
        new PipelineConfig(
            d.mode(),
            maxJobs,
            d.prepareThreads(),
            device.lanes(),
            1,
            d.maxSequences(),
            maxJobs,
            maxJobs,
            device.lanes(),
            d.ageing(),
            d.timeouts());
    buffers = new BufferManager(config.buffers(model));
    pipeline =
        new Pipeline(config, model, new Probe(window.toNanos()), preparer, buffers, new Clock());
  }

  static Job job(String id, AudioSource audio) {
    return new Job(
        id,
        audio,
        null,
        TranscriptionOptions.DEFAULTS.withLanguage("en"),
        0,
        null,
        Instant.now(),
        Map.of());
  }

  /** Waits while the pipeline is full. */
  void submit(Job job, JobListener listener) throws InterruptedException {
    while (pipeline.tryAdmit(job, null, listener) == null) {
      Thread.sleep(1);
    }
  }

  PipelineSnapshot snapshot() {
    return pipeline.snapshot();
  }

  @Override
  public void close() {
    pipeline.close();
    buffers.close();
    device.close();
    model.close();
    preparer.close();
  }

  /** The lane that works on a window is one thread from its entry to the device. */
  private final class Clock implements PipelineListener {
    @Override
    public void entered(Stage stage, Job job, long waitedNanos) {
      if (stage == Stage.ENCODE) {
        long[] times = arrival.get();
        times[1] = System.nanoTime();
        times[0] = times[1] - waitedNanos;
      }
    }
  }

  /** The device, with a note of each start; its owner closes it. */
  private final class Probe extends ForwardingDevice {
    private final long service;

    Probe(long service) {
      super(device);
      this.service = service;
    }

    @Override
    public Lane newLane() {
      return new ForwardingLane(super.newLane()) {
        @Override
        public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
          long called = System.nanoTime();
          super.encode(mel, contentFrames, states);
          long begun = System.nanoTime() - service;
          long[] times = arrival.get();
          waits.add(new Wait((begun - times[0]) / 1e6, (called - times[1]) / 1e6));
        }
      };
    }

    @Override
    public void close() {}
  }
}
