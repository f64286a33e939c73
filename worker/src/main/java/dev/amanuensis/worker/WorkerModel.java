package dev.amanuensis.worker;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.device.CpuDevice;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.device.EngineModel;
import dev.amanuensis.worker.device.NpuSettings;
import dev.amanuensis.worker.device.SimulatedDevice;
import dev.amanuensis.worker.device.SimulatedModel;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * A loaded model on an opened device: what takes time at the start and needs no Kafka. Owned by the
 * {@link Worker} that it is given to.
 */
public record WorkerModel(SpeechModel model, Device device) implements AutoCloseable {
  /**
   * @throws dev.amanuensis.model.ModelException if the model is missing or damaged
   * @throws IOException if the tokenizer can't be read
   */
  public static WorkerModel load(WorkerConfig config) throws IOException {
    return needsFiles(config) ? loadEngine(config) : simulated(config);
  }

  /** Whether there must be a model on this machine. */
  public static boolean needsFiles(WorkerConfig config) {
    return !config.text(Setting.DEVICE).equals("simulated");
  }

  private static WorkerModel simulated(WorkerConfig c) {
    return new WorkerModel(
        new SimulatedModel(c.duration(Setting.SIMULATED_STEP_MICROS, ChronoUnit.MICROS)),
        new SimulatedDevice(c.duration(Setting.SIMULATED_WINDOW_MICROS, ChronoUnit.MICROS)));
  }

  private static WorkerModel loadEngine(WorkerConfig config) throws IOException {
    String directory = config.text(Setting.MODEL_DIR);
    ModelStore store =
        directory.isBlank() ? ModelStore.defaultStore() : ModelStore.at(Path.of(directory));
    ModelFiles files = store.locate();
    Tokenizer tokenizer;
    try (InputStream json = Files.newInputStream(files.tokenizer())) {
      tokenizer = Tokenizer.read(json);
    }
    Profile profile = Profile.valueOf(config.text(Setting.PROFILE).toUpperCase(Locale.ROOT));
    Engine engine =
        Engine.open(
            files.weights(), EngineOptions.of(profile), NpuSettings.open(config).orElse(null));
    EngineModel model = new EngineModel(files.name(), files.sha256(), engine, tokenizer);
    return new WorkerModel(model, new CpuDevice(model, PipelineSettings.encodeLanes(config)));
  }

  @Override
  public void close() {
    device.close();
    model.close();
  }
}
