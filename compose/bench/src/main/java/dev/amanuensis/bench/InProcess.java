package dev.amanuensis.bench;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.device.CpuDevice;
import dev.amanuensis.worker.device.EngineModel;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.pipeline.Pipeline;
import dev.amanuensis.worker.pipeline.PipelineConfig;
import dev.amanuensis.worker.pipeline.PipelineListener;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.SourceConfig;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The worker's pipeline without Kafka around it. One thread uses it. */
public final class InProcess implements AutoCloseable {
  private static final long FULL_MILLIS = 1;

  private final EngineModel model;
  private final BufferManager buffers;
  private final AudioPreparer preparer;
  private final Pipeline pipeline;

  /**
   * @param engine on the CPU or over an NPU: taken over, also by a failure
   * @param threads encoder lanes, and threads that prepare audio
   * @param roots directories that {@link #reference} may point into
   */
  public InProcess(Engine engine, Path tokenizer, int threads, List<Path> roots)
      throws IOException {
    try (InputStream json = Files.newInputStream(tokenizer)) {
      model = new EngineModel("", "", engine, Tokenizer.read(json));
    } catch (IOException | RuntimeException e) {
      engine.close();
      throw e;
    }
    preparer = new AudioPreparer(SourceConfig.defaults(roots));
    PipelineConfig d = PipelineConfig.defaults();
    PipelineConfig config =
        new PipelineConfig(
            d.mode(),
            d.maxJobs(),
            Math.min(threads, d.prepareThreads()),
            threads,
            d.decodeLanes(),
            d.maxSequences(),
            d.prepareQueue(),
            d.encodeQueue(),
            threads,
            d.ageing(),
            d.timeouts());
    buffers = new BufferManager(config.buffers(model));
    pipeline =
        new Pipeline(
            config, model, new CpuDevice(model, threads), preparer, buffers, PipelineListener.NONE);
  }

  /**
   * The defaults but for what is given.
   *
   * @param language or null to detect it
   */
  public static TranscriptionOptions options(String language, List<Float> temperatures) {
    return TranscriptionOptions.DEFAULTS.withLanguage(language).withTemperatures(temperatures);
  }

  /** A job that names its file. */
  public static Job reference(Path file, TranscriptionOptions options) throws IOException {
    return job(file, new AudioSource.Reference(file.toRealPath().toUri(), null), options);
  }

  /** A job that carries its file, wherever that lies. */
  public static Job inline(Path file, TranscriptionOptions options) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    return job(file, new AudioSource.Inline(bytes, null), options);
  }

  private static Job job(Path file, AudioSource source, TranscriptionOptions options) {
    String name = file.getFileName().toString();
    return new Job(name, source, null, options, 0, null, Instant.now(), Map.of());
  }

  /**
   * Results in the order of the jobs.
   *
   * @param together all at once, as a fleet's worker has them; else one after the other
   */
  public List<JobResult> transcribe(List<Job> jobs, boolean together) throws InterruptedException {
    List<CompletableFuture<JobResult>> results = new ArrayList<>();
    for (Job job : jobs) {
      CompletableFuture<JobResult> result = new CompletableFuture<>();
      while (pipeline.tryAdmit(job, null, result::complete) == null) {
        Thread.sleep(FULL_MILLIS);
      }
      results.add(result);
      if (!together) {
        result.join();
      }
    }
    return results.stream().map(CompletableFuture::join).toList();
  }

  @Override
  public void close() {
    pipeline.close();
    buffers.close();
    preparer.close();
    model.close();
  }
}
