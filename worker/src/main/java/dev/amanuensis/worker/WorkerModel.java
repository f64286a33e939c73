package dev.amanuensis.worker;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A loaded model: what takes time at the start and needs no Kafka. Owned by the {@link Worker} that
 * it is given to.
 */
public record WorkerModel(ModelFiles files, Engine engine, Tokenizer tokenizer)
    implements AutoCloseable {
  /**
   * @throws dev.amanuensis.model.ModelException if the model is missing or damaged
   * @throws IOException if the tokenizer can't be read
   */
  public static WorkerModel load(WorkerConfig config) throws IOException {
    String directory = config.text(Setting.MODEL_DIR);
    ModelStore store =
        directory.isBlank() ? ModelStore.defaultStore() : ModelStore.at(Path.of(directory));
    ModelFiles files = store.locate();
    Tokenizer tokenizer;
    try (InputStream json = Files.newInputStream(files.tokenizer())) {
      tokenizer = Tokenizer.read(json);
    }
    Profile profile = Profile.valueOf(config.text(Setting.PROFILE).toUpperCase(Locale.ROOT));
    return new WorkerModel(files, Engine.open(files.weights(), profile), tokenizer);
  }

  @Override
  public void close() {
    engine.close();
  }
}
