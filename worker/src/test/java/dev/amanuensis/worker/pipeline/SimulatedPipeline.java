package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.BufferConfig;
import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.buffers.PoolConfig;
import dev.amanuensis.worker.device.SimulatedDevice;
import dev.amanuensis.worker.device.SimulatedModel;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.SourceConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A real pipeline over a simulated device: queues, buffers and stages without a model. */
final class SimulatedPipeline implements AutoCloseable {
  final AudioPreparer preparer = new AudioPreparer(SourceConfig.defaults());
  final SimulatedModel model = new SimulatedModel(Duration.ZERO);
  final SimulatedDevice device;
  final BufferManager buffers;
  final Pipeline pipeline;

  /** What differs from {@link #usual}. */
  static final class Plan {
    PipelineConfig config = usual();
    Duration window = Duration.ofMillis(1);
    Duration patience = Duration.ofSeconds(20);

    /** Idle slots are given back after it. */
    Duration idle = Duration.ofMillis(200);

    Map<Pool, PoolConfig> pools = new EnumMap<>(Pool.class);
    PipelineListener listener = PipelineListener.NONE;
    Faults faults = Faults.NONE;

    SimulatedPipeline start() {
      return new SimulatedPipeline(this);
    }
  }

  static PipelineConfig usual() {
    return with(PipelineConfig.Mode.STAGED, 400, 8, Duration.ofSeconds(60));
  }

  static PipelineConfig with(
      PipelineConfig.Mode mode, int maxJobs, int encodeQueue, Duration timeout) {
    return new PipelineConfig(
        mode,
        maxJobs,
        2,
        3,
        1,
        16,
        maxJobs,
        encodeQueue,
        3,
        Duration.ofSeconds(10),
        PipelineConfig.timeouts(timeout));
  }

  private SimulatedPipeline(Plan plan) {
    device = new SimulatedDevice(plan.window);
    BufferConfig usual = plan.config.buffers(model);
    Map<Pool, PoolConfig> pools = new EnumMap<>(usual.pools());
    pools.putAll(plan.pools);
    buffers =
        new BufferManager(
            new BufferConfig(
                usual.capBytes(), pools, plan.patience, Duration.ofMinutes(10), plan.idle, true));
    pipeline =
        new Pipeline(plan.config, model, device, preparer, buffers, plan.listener, plan.faults);
  }

  static Job job(String id, byte[] audio, int priority, Instant deadline) {
    return new Job(
        id,
        new AudioSource.Inline(ByteBuffer.wrap(audio), null),
        null,
        TranscriptionOptions.DEFAULTS.withLanguage("en"),
        priority,
        deadline,
        Instant.now(),
        Map.of());
  }

  CompletableFuture<JobResult> submit(String id, byte[] audio, int priority) {
    return submit(job(id, audio, priority, null));
  }

  CompletableFuture<JobResult> submit(Job job) {
    CompletableFuture<JobResult> done = new CompletableFuture<>();
    if (pipeline.tryAdmit(job, null, done::complete) == null) {
      throw new IllegalStateException(job.id() + " was not admitted");
    }
    return done;
  }

  static JobResult get(CompletableFuture<JobResult> future) throws Exception {
    return future.get(60, TimeUnit.SECONDS);
  }

  /** What does not depend on time. */
  static String outcome(JobResult r) {
    return "%s %s %s %s".formatted(r.status(), r.errorCode(), r.audioSha256(), r.transcription());
  }

  /** Noise that a seed determines, as a WAV file. */
  static byte[] noise(long seed, double seconds) {
    int samples = (int) (seconds * 16_000);
    ByteBuffer b = ByteBuffer.allocate(44 + 2 * samples).order(ByteOrder.LITTLE_ENDIAN);
    b.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(36 + 2 * samples);
    b.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
    b.putShort((short) 1).putShort((short) 1).putInt(16_000).putInt(32_000);
    b.putShort((short) 2).putShort((short) 16);
    b.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(2 * samples);
    Random random = new Random(seed);
    int amplitude = 500 + random.nextInt(20_000);
    while (b.hasRemaining()) {
      b.putShort((short) (random.nextInt(2 * amplitude) - amplitude));
    }
    return b.array();
  }

  /** Waits until all stages have let go of what has ended. */
  PipelineSnapshot settle() throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (System.nanoTime() < end) {
      PipelineSnapshot s = pipeline.snapshot();
      boolean idle = s.stages().stream().allMatch(stage -> stage.inFlight() == 0);
      if (idle && s.inFlight() == 0 && s.buffers().inUse() == 0) {
        return s;
      }
      Thread.sleep(5);
    }
    return pipeline.snapshot();
  }

  @Override
  public void close() {
    pipeline.close();
    buffers.close();
    device.close();
    preparer.close();
  }
}
