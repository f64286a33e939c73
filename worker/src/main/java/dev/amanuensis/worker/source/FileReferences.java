package dev.amanuensis.worker.source;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Resolves file references, none of which leaves the allowed roots, by symbolic links neither. */
final class FileReferences {
  private final List<Path> roots;

  FileReferences(List<Path> roots) {
    this.roots = roots;
  }

  /** The real path of the file. */
  Path resolve(AudioSource.Reference reference) throws JobException {
    URI uri = reference.uri();
    if (!"file".equals(uri.getScheme()) || uri.getPath() == null || hasHost(uri)) {
      throw new JobException(
          ErrorCode.SOURCE_FORBIDDEN,
          "'%s' references are not enabled in this version: only file: is"
              .formatted(uri.getScheme()));
    }
    try {
      Path real = Path.of(uri.getPath()).toRealPath();
      for (Path root : roots) {
        if (Files.isDirectory(root) && real.startsWith(root.toRealPath())) {
          return regular(real);
        }
      }
    } catch (IOException e) {
      // Outside the roots nobody learns whether a file exists.
      if (roots.stream().noneMatch(r -> isLexicallyUnder(r, Path.of(uri.getPath())))) {
        throw forbidden();
      }
      throw new JobException(
          ErrorCode.SOURCE_UNAVAILABLE, "the referenced file can't be read: " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new JobException(ErrorCode.SOURCE_FORBIDDEN, "not a file: " + e.getMessage(), e);
    }
    throw forbidden();
  }

  private static boolean isLexicallyUnder(Path root, Path file) {
    return file.normalize().startsWith(root.toAbsolutePath().normalize());
  }

  private static boolean hasHost(URI uri) {
    return uri.getHost() != null && !uri.getHost().isEmpty();
  }

  private static Path regular(Path file) throws JobException {
    if (!Files.isRegularFile(file)) {
      throw new JobException(
          ErrorCode.SOURCE_UNAVAILABLE, "the reference is not a regular file: " + file);
    }
    return file;
  }

  private static JobException forbidden() {
    return new JobException(
        ErrorCode.SOURCE_FORBIDDEN,
        "the referenced file is not under a root that this worker may read (source.allowed.roots)");
  }
}
