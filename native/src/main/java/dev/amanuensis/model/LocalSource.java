package dev.amanuensis.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A CTranslate2 model that somebody has put into the model directory: it is converted there. */
final class LocalSource implements ModelSource {
  private final ModelSpec spec;
  private final Path directory;

  LocalSource(ModelSpec spec, Path directory) {
    this.spec = spec;
    this.directory = directory;
  }

  boolean isThere() {
    return Files.isRegularFile(directory.resolve(ModelSpec.MODEL_BIN))
        && Files.isRegularFile(directory.resolve(ModelStore.TOKENIZER));
  }

  @Override
  public String description() {
    return directory.resolve(ModelSpec.MODEL_BIN).toString();
  }

  @Override
  public Raw obtain(Path workDirectory, FetchProgress progress) throws ModelException {
    Path modelBin = directory.resolve(ModelSpec.MODEL_BIN);
    Path given = directory.resolve(ModelStore.TOKENIZER);
    // The files are the user's: a wrong one is refused, not deleted.
    spec.weights().verify(modelBin);
    spec.tokenizer().verify(given);
    try {
      Path tokenizer = workDirectory.resolve("local-" + ModelStore.TOKENIZER);
      Files.copy(given, tokenizer, StandardCopyOption.REPLACE_EXISTING);
      return new Raw(modelBin, tokenizer, spec.tokenizer());
    } catch (IOException e) {
      throw ModelException.of("can't copy " + given, e);
    }
  }
}
