package dev.amanuensis.standalone;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.device.CpuDevice;
import dev.amanuensis.worker.device.EngineModel;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The worker's pipeline without Kafka, on the CPU or over an NPU whose counters one can read. */
final class SpeechTrial implements AutoCloseable {
  private final EngineModel model;
  private final BufferManager buffers;
  private final AudioPreparer preparer = new AudioPreparer(SourceConfig.defaults());
  private final Pipeline pipeline;

  /**
   * @param npu null: the CPU; else taken over
   */
  SpeechTrial(NpuDevice npu) throws IOException {
    ModelFiles files = ModelStore.defaultStore().locate();
    Tokenizer tokenizer;
    try (InputStream json = Files.newInputStream(files.tokenizer())) {
      tokenizer = Tokenizer.read(json);
    }
    Engine engine = Engine.open(files.weights(), EngineOptions.of(Profile.FAST), npu);
    model = new EngineModel(files.name(), files.sha256(), engine, tokenizer);
    PipelineConfig config = PipelineConfig.defaults();
    buffers = new BufferManager(config.buffers(model));
    CpuDevice device = new CpuDevice(model, config.encodeLanes());
    pipeline = new Pipeline(config, model, device, preparer, buffers, new PipelineListener() {});
  }

  /** With words, so that cross-attention shows too; a file without a transcript is left out. */
  Map<String, TranscriptionResult> transcribe(Path folder, List<String> names)
      throws IOException, InterruptedException {
    Map<String, CompletableFuture<JobResult>> pending = new LinkedHashMap<>();
    for (String name : names) {
      CompletableFuture<JobResult> done = new CompletableFuture<>();
      pending.put(name, done);
      if (pipeline.tryAdmit(job(name, folder.resolve(name)), null, done::complete) == null) {
        throw new IOException("the pipeline takes no more than " + (pending.size() - 1) + " files");
      }
    }
    Map<String, TranscriptionResult> results = new LinkedHashMap<>();
    for (Map.Entry<String, CompletableFuture<JobResult>> entry : pending.entrySet()) {
      try {
        JobResult result = entry.getValue().get();
        if (result.status() == JobResult.Status.COMPLETED) {
          results.put(entry.getKey(), result.transcription());
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
    return results;
  }

  private static Job job(String name, Path audio) throws IOException {
    AudioSource source = new AudioSource.Inline(ByteBuffer.wrap(Files.readAllBytes(audio)), null);
    return new Job(name, source, null, options(), 0, null, Instant.now(), Map.of());
  }

  /** Temperature 0 alone, as the golden transcripts were made. */
  private static TranscriptionOptions options() {
    return TranscriptionOptions.DEFAULTS.withTemperatures(List.of(0f)).withWordTimestamps(true);
  }

  @Override
  public void close() {
    pipeline.close();
    buffers.close();
    preparer.close();
    model.close();
  }
}
