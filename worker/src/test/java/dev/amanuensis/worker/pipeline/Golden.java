package dev.amanuensis.worker.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.ModelPart;
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
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** The pipeline with the real model, and openai/whisper's transcripts of the test speech. */
final class Golden implements AutoCloseable {
  static final Path SPEECH = Path.of("src/test/resources/speech");

  final JsonNode transcripts;
  final EngineModel speech;
  final BufferManager buffers;
  final AudioPreparer preparer = new AudioPreparer(SourceConfig.defaults());
  final Pipeline pipeline;

  /** Windows that were encoded once more, with every row of their padding. */
  final AtomicInteger encodedAgain = new AtomicInteger();

  Golden(Profile profile) throws IOException {
    this(new EngineOptions(profile, inF32(), 0, 0));
  }

  Golden(EngineOptions options) throws IOException {
    this(options, null);
  }

  /**
   * @param npu null: none
   */
  Golden(EngineOptions options, NpuDevice npu) throws IOException {
    transcripts =
        new ObjectMapper().readTree(Path.of("src/test/resources/golden/transcripts.json").toFile());
    ModelFiles model = ModelStore.defaultStore().locate();
    Tokenizer tokenizer;
    try (InputStream json = Files.newInputStream(model.tokenizer())) {
      tokenizer = Tokenizer.read(json);
    }
    Engine engine = Engine.open(model.weights(), options, npu);
    speech = new EngineModel(model.name(), model.sha256(), engine, tokenizer);
    PipelineConfig config = PipelineConfig.defaults();
    buffers = new BufferManager(config.buffers(speech));
    pipeline =
        new Pipeline(
            config,
            speech,
            new CpuDevice(speech, config.encodeLanes()),
            preparer,
            buffers,
            new Count());
  }

  /**
   * What reduced arithmetic costs where: {@code -Damanuensis.f32=logits,cross_kv} computes these
   * parts of the fast profile in f32.
   */
  private static Set<ModelPart> inF32() {
    return Arrays.stream(System.getProperty("amanuensis.f32", "").split(","))
        .filter(name -> !name.isBlank())
        .map(name -> ModelPart.valueOf(name.toUpperCase(Locale.ROOT)))
        .collect(Collectors.toSet());
  }

  List<String> files() {
    List<String> names = new ArrayList<>();
    for (Iterator<String> it = transcripts.fieldNames(); it.hasNext(); ) {
      names.add(it.next());
    }
    return names;
  }

  /** Temperature 0 alone and the other defaults, as the golden transcripts were made. */
  static TranscriptionOptions options(boolean words) {
    return TranscriptionOptions.DEFAULTS.withTemperatures(List.of(0f)).withWordTimestamps(words);
  }

  /**
   * @param deadline null: none
   */
  static Job job(byte[] audio, TranscriptionOptions options, Instant deadline) {
    return new Job(
        "job",
        new AudioSource.Inline(ByteBuffer.wrap(audio), null),
        null,
        options,
        0,
        deadline,
        Instant.now(),
        Map.of());
  }

  CompletableFuture<JobResult> submit(byte[] audio, TranscriptionOptions options) {
    return submit(audio, options, null);
  }

  CompletableFuture<JobResult> submit(
      byte[] audio, TranscriptionOptions options, Instant deadline) {
    CompletableFuture<JobResult> done = new CompletableFuture<>();
    Job job = job(audio, options, deadline);
    if (pipeline.tryAdmit(job, null, done::complete) == null) {
      throw new IllegalStateException("not admitted");
    }
    return done;
  }

  CompletableFuture<JobResult> submit(String file, boolean words) throws IOException {
    return submit(Files.readAllBytes(SPEECH.resolve(file)), options(words));
  }

  private final class Count implements PipelineListener {
    @Override
    public void encodedAgain(Job job) {
      encodedAgain.incrementAndGet();
    }
  }

  @Override
  public void close() {
    pipeline.close();
    buffers.close();
    preparer.close();
    speech.close();
  }
}
